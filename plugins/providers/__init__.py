"""The built-in config providers: files, folders, the environment; Vault and AWS Secrets Manager with their extras."""
