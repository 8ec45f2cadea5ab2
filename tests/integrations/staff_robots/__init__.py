"""Robots in groups of the staff: DingTalk, WeCom, Feishu."""
