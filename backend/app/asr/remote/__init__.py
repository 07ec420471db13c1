"""Speech at providers: what they can do, how they are asked, and what happens when they fail. No database, no HTTP
framework; the providers' SDKs are imported only when a job goes to one."""
