"""Everything an upgrade does to the machine, in one place: tests count these and end the run at any of them."""
from installer.layout import Layout


class Effects:
    def __init__(self, layout: Layout) -> None:
        self.layout = layout
