"""Any S3-compatible bucket as the store. Imported only where STORAGE_BACKEND=s3: boto3 costs a fifth of a second."""

from app.storage.s3.client import Bucket, BucketSettings
from app.storage.s3.store import S3Store

__all__ = ["Bucket", "BucketSettings", "S3Store"]
