"""Text messages by Aliyun."""
