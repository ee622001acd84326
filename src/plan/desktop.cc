#include "plan/draft.h"

namespace sbox {

void plan_desktop(const Inputs& in, Draft& draft) {
  if (in.profile.flag(Key::desktop_fonts)) {
    offer(in, draft,
          {
              "~/.cache/fontconfig",
              "~/.config/fontconfig",
              "~/.fonts",
              "~/.fonts.conf",
              "~/.local/share/fonts",
              "/var/cache/fontconfig",
          });
  }
  if (in.profile.flag(Key::desktop_themes)) {
    offer(in, draft,
          {
              "~/.config/Kvantum",
              "~/.config/gtk-3.0/gtk.css",
              "~/.config/gtk-3.0/settings.ini",
              "~/.config/gtk-4.0/gtk.css",
              "~/.config/gtk-4.0/settings.ini",
              "~/.config/kdeglobals",
              "~/.config/qt5ct",
              "~/.config/qt6ct",
              "~/.gtkrc-2.0",
              "~/.local/share/themes",
              "~/.themes",
          });
  }
  if (in.profile.flag(Key::desktop_icons)) {
    offer(in, draft, {"~/.icons", "~/.local/share/icons"});
  }
  // The portal has text of this program's alone; on IBus's own bus any client may be an input method.
  if (in.profile.flag(Key::desktop_input_method)) draft.environment.emplace("IBUS_USE_PORTAL", "1");
}

}  // namespace sbox
