# A booted Debian with its own kernel: systemd, logind, user manager, cgroups, AppArmor. Debian 12, and Debian 13 for the parts
# that begin with `trixie-`. The images are made once.
VM := $(abspath $(BUILD))-vm
VM_PACKAGES := qemu-system-x86 mmdebstrap busybox-static cpio e2fsprogs xz-utils bubblewrap
# For the kernel of Debian 13, which an older QEMU does not always boot: Debian 13's own, from a directory.
QEMU_PACKAGES := qemu-system-x86 seabios
# What is installed in the guests.
GUEST_PACKAGES := systemd systemd-sysv dbus dbus-user-session libpam-systemd udev kmod login passwd procps iproute2 util-linux \
  linux-image-cloud-amd64 apparmor python3 strace libcap2-bin hostname xdg-dbus-proxy passt
.PHONY: check-vm vm-image vm-image-trixie vm-build
vm-build: PACKAGES := $(BUILD_PACKAGES) $(VM_PACKAGES) python3
vm-build: deps
	$(MAKE) $(PARALLEL) all
	BUILD=$(abspath $(BUILD)) python3 -B tests/system/harness.py

vm-image: vm-build
	tests/vm/image $(VM) bookworm $(GUEST_PACKAGES)

vm-image-trixie: vm-build
	tests/debian $(VM)-trixie-qemu trixie $(QEMU_PACKAGES)
	tests/vm/image $(VM)-trixie trixie $(GUEST_PACKAGES)

# What of tests/vm/check is to be run, each in a machine of its own.
VM_PARTS ?= allowed limits refused granted none apparmor trixie-allowed trixie-limits trixie-refused trixie-granted \
  trixie-apparmor
check-vm: $(if $(filter-out trixie-%,$(VM_PARTS)),vm-image) $(if $(filter trixie-%,$(VM_PARTS)),vm-image-trixie)
	BUILD=$(abspath $(BUILD)) VM=$(VM) tests/vm/parts $(VM_PARTS)
