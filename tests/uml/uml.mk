# The kernels of CI's machines may have no cgroup of version 2 to give: User-mode Linux has, and needs no image.
.PHONY: check-limits
check-limits: PACKAGES := $(BUILD_PACKAGES) python3 util-linux $(UML_PACKAGES)
check-limits: deps
	$(MAKE) $(PARALLEL) all
	BUILD=$(BUILD) tests/uml/run limits_cgroup
