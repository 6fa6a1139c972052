"""Posts → drafts: variants, templates, hashtags, links, threads, pictures."""

from campaign_cli.content.drafts import Renderer
from campaign_cli.content.media import MediaStore
from campaign_cli.content.pictures import MediaError

__all__ = ["MediaError", "MediaStore", "Renderer"]
