"""The simulated shop's parts: camera, rooms, bodies, the people's plan, its truth. `firmware.vision.simulated_shop` joins them."""
