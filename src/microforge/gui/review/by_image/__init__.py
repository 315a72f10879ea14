"""Models measured on many images: come here for what stands in *Review* about each of them."""
