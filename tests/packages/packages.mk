# The Debian packages: built, checked, installed in a copy of the running system, used and purged. As root.
DEBIAN_PACKAGES := dpkg-dev debhelper lintian
.PHONY: check-packages
check-packages: PACKAGES := $(BUILD_PACKAGES) $(DEBIAN_PACKAGES)
check-packages: deps
	$(MAKE) dist
	tests/packages/build $(VERSION) $(BUILD)/sbox-$(VERSION).tar.gz $(BUILD)-packages
