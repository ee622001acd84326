#include <algorithm>
#include <iterator>

#include "base/contains.h"
#include "base/strings.h"
#include "plan/devices.h"
#include "plan/draft.h"
#include "plan/paths.h"

namespace sbox {
namespace {

struct DeviceRow {
  Key key;
  const char* path;  // of a character device; PATH* is all that begin so
};

constexpr DeviceRow kDevices[] = {
    {Key::devices_gpu, "/dev/dri/renderD*"}, {Key::devices_gpu, "/dev/nvidia*"},   {Key::devices_gpu, "/dev/kfd"},
    {Key::devices_camera, "/dev/media*"},    {Key::devices_camera, "/dev/video*"}, {Key::devices_input, "/dev/input/*"},
    {Key::devices_kvm, "/dev/kvm"},
};

struct SysRow {
  Key key;
  const char* directory;        // read-only, with what its links lead to
  const char *prefix, *suffix;  // DIRECTORY/PREFIX*SUFFIX
};

constexpr SysRow kSys[] = {
    {Key::devices_gpu, "/sys/class/drm", "renderD", "/device"},
    {Key::devices_camera, "/sys/class/video4linux", "", "/device"},
    {Key::devices_input, "/sys/class/input", "", "/device"},
    {Key::devices_usb, "/sys/bus/usb/devices", "", ""},
};

struct OfferRow {
  Key key;
  const char* path;
};

constexpr OfferRow kOffers[] = {
    {Key::devices_gpu, "/sys/dev/char"},
    {Key::devices_gpu, "/sys/devices/system/cpu"},
    {Key::devices_gpu, "/sys/module/nvidia"},
    {Key::devices_input, "/run/udev/data"},
    {Key::devices_usb, "/run/udev/data"},
    {Key::devices_camera, "/sys/dev/char"},
    {Key::devices_security_keys, "/run/udev/data"},
};

// Memory, ports and the console of the machine itself.
constexpr const char* kNever[] = {"/dev/console", "/dev/kmem", "/dev/kmsg", "/dev/mem", "/dev/nvram", "/dev/port"};

void place_device(Draft& draft, const std::string& path, const Origin& origin) {
  Node node = make_bind(path, path, false, true);
  node.device = true;
  node.origin = origin.text();
  draft.view.place(std::move(node));
}

void place_if_device(const Inputs& in, Draft& draft, const std::string& path, const Origin& origin) {
  if (in.host.status(path).kind == FileKind::character_device) place_device(draft, path, origin);
}

void place_devices_of(const Inputs& in, Draft& draft, const std::string& directory, std::string_view prefix,
                      const Origin& origin) {
  for (const std::string& name : in.host.list(directory, prefix)) {
    place_if_device(in, draft, join(directory, name), origin);
  }
}

void place_row(const Inputs& in, Draft& draft, const DeviceRow& row, const Origin& origin) {
  std::string path = row.path;
  if (!path.ends_with('*')) return place_if_device(in, draft, path, origin);
  path.pop_back();
  place_devices_of(in, draft, parent_of(path), base_name(path), origin);
}

void offer_sys(const Inputs& in, Draft& draft, const SysRow& row, const Origin& origin) {
  draft.view.grant({row.directory, Access::read_only, Strength::offered, origin});
  for (const std::string& name : in.host.list(row.directory, row.prefix)) {
    std::string path = in.host.resolve(join(row.directory, name) + row.suffix).path;
    if (is_below(path, "/sys/devices")) draft.view.grant({path, Access::read_only, Strength::offered, origin});
  }
}

// Whether a HID report descriptor has the usage page of FIDO. It is a row of items: a byte with the kind of the item
// and the size of what follows.
bool describes_security_key(std::string_view descriptor) {
  constexpr uint8_t kSize = 0x03, kUsagePage = 0x04, kLongItem = 0xfe;
  constexpr unsigned kFido = 0xf1d0;
  auto byte = [&](size_t i) -> unsigned { return i < descriptor.size() ? static_cast<uint8_t>(descriptor[i]) : 0; };
  for (size_t at = 0; at < descriptor.size();) {
    unsigned head = byte(at);
    size_t size = head == kLongItem ? 2 + byte(at + 1) : (head & kSize) == 3 ? 4 : head & kSize;
    bool is_page = head != kLongItem && (head & ~unsigned{kSize}) == kUsagePage;
    if (is_page && size == 2 && (byte(at + 1) | byte(at + 2) << 8) == kFido) return true;
    at += 1 + size;
  }
  return false;
}

// Raw HID devices that are security keys, with the /sys by which libraries find them.
void place_security_keys(const Inputs& in, Draft& draft, const Origin& origin) {
  constexpr char kClass[] = "/sys/class/hidraw";
  for (const std::string& name : in.host.list(kClass)) {
    std::string device = in.host.resolve(join(join(kClass, name), "device")).path, node = join("/dev", name);
    bool is_key = describes_security_key(in.host.read(join(device, "report_descriptor")).value_or(""));
    if (!is_key || in.host.status(node).kind != FileKind::character_device) continue;
    place_device(draft, node, origin);
    for (const std::string& path : {std::string(kClass), device}) {
      draft.view.grant({path, Access::read_only, Strength::offered, origin});
    }
  }
}

Error is_the_machine(const Value& value) {
  return Error("device " + quote(value.text), "is the machine itself").at(value.origin).hint("take it off the list");
}

void allow(const Inputs& in, Draft& draft, const Value& value) {
  std::string path = host_path(value, in.places, in.host);
  auto refuse = [&](const char* why) { return Error("device " + quote(value.text), why).at(value.origin); };
  if (!is_below(path, "/dev")) throw refuse("does not lie below /dev").hint("use [files]");
  Resolved found = in.host.resolve(path);
  if (!is_below(found.path, "/dev") && found.path != "/dev") throw refuse("leads out of /dev");
  if (is_never_granted(found.path)) throw is_the_machine(value);
  switch (found.status.kind) {
    case FileKind::missing:
      return;
    case FileKind::character_device:
      for (const Link& link : found.links) draft.view.place(make_symlink(link.path, link.target));
      return place_device(draft, found.path, value.origin);
    case FileKind::directory:
      return place_devices_of(in, draft, found.path, "", value.origin);
    case FileKind::block_device:
      throw refuse("is a disk").hint("grant files, not disks");
    case FileKind::unreachable:
      throw refuse("permission denied");
    default:
      throw refuse("is not a device");
  }
}

}  // namespace

bool is_never_granted(std::string_view path) { return contains(kNever, path); }

void check_device(const Value& value) {
  if (is_never_granted(value.text)) throw is_the_machine(value);
}

std::optional<Key> device_setting(std::string_view path) {
  for (const DeviceRow& row : kDevices) {
    std::string_view own = row.path;
    bool is_prefix = own.ends_with('*');
    if (is_prefix) own.remove_suffix(1);
    if (is_prefix ? path.starts_with(own) : path == own) return row.key;
  }
  if (is_below(path, "/dev/bus/usb")) return Key::devices_usb;
  return std::nullopt;
}

void plan_devices(const Inputs& in, Draft& draft) {
  auto wanted = [&](Key key) { return in.profile.flag(key); };
  for (const DeviceRow& row : kDevices) {
    if (wanted(row.key)) place_row(in, draft, row, in.profile.scalar(row.key).origin);
  }
  for (const SysRow& row : kSys) {
    if (wanted(row.key)) offer_sys(in, draft, row, in.profile.scalar(row.key).origin);
  }
  for (const OfferRow& row : kOffers) {
    if (!wanted(row.key)) continue;
    draft.view.grant({row.path, Access::read_only, Strength::offered, in.profile.scalar(row.key).origin});
  }
  if (wanted(Key::devices_usb)) {
    for (const std::string& bus : in.host.list("/dev/bus/usb")) {
      place_devices_of(in, draft, join("/dev/bus/usb", bus), "", in.profile.scalar(Key::devices_usb).origin);
    }
  }
  if (wanted(Key::devices_security_keys)) {
    place_security_keys(in, draft, in.profile.scalar(Key::devices_security_keys).origin);
  }
  for (const Value& value : in.profile.list(Key::devices_allow)) allow(in, draft, value);
}

}  // namespace sbox
