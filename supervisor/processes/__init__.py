"""Child processes of the supervisor: started by a forkserver, heard over a channel, limited by the kernel, and how each ended."""
