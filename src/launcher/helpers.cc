#include "launcher/helpers.h"

#include <algorithm>
#include <cerrno>

#include "launcher/moment.h"
#include "launcher/step.h"

namespace sbox {

std::string Helpers::start(const Helper& helper, const Ids& ids, int served) {
  helpers_.push_back(start_helper(helper, ids, served));
  return helpers_.back().pid < 0 ? "start " + helper.name + ": " + reason(errno) : "";
}

size_t Helpers::serving() const {
  return static_cast<size_t>(std::count_if(helpers_.begin(), helpers_.end(), [](const auto& h) { return h.serves; }));
}

void Helpers::prepare(std::vector<pollfd>& polled) const {
  for (const RunningHelper& helper : helpers_) {
    bool may_speak = !helper.serves || helper.tells;
    polled.push_back({helper.ready.get(), static_cast<short>(may_speak ? POLLIN : 0), 0});
  }
}

std::string Helpers::work(const std::vector<pollfd>& polled, const Watch& watch) {
  std::string why;
  for (size_t i = 0; i < helpers_.size() && why.empty(); ++i) {
    bool happened = std::any_of(polled.begin(), polled.end(), [&](const pollfd& p) {
      return helpers_[i].ready && p.fd == helpers_[i].ready.get() && p.revents != 0;
    });
    if (happened) why = hear(i, watch);
  }
  return why;
}

std::string Helpers::hear(size_t index, const Watch& watch) {
  RunningHelper& helper = helpers_[index];
  std::string why = helper.name + ": it ended before it served";
  Note note;
  switch (helper.news(why, note)) {
    case HelperNews::nothing:
    case HelperNews::serves:
      break;
    case HelperNews::told:
      if (!watch.keep(index, note)) helper.kill();
      break;
    case HelperNews::failed:
      return why;
    case HelperNews::gone:
      // It lets go of the socket when it ends, or because it has nothing more to say.
      helper.ready.reset();
      if (!helper.serves) return why;
      break;
  }
  return "";
}

void Helpers::reap() {
  for (RunningHelper& helper : helpers_) helper.reap();
}

void Helpers::finish() {
  for (RunningHelper& helper : helpers_) helper.finish();
}

void Helpers::end(const Watch& watch) {
  constexpr int64_t kPatience = 500 * kMillisecond;
  finish();
  std::vector<pollfd> polled;
  for (int64_t deadline = now_ns() + kPatience; now_ns() < deadline;) {
    polled.clear();
    for (const RunningHelper& helper : helpers_) {
      if (helper.ready && helper.serves && helper.tells) polled.push_back({helper.ready.get(), POLLIN, 0});
    }
    if (polled.empty() || poll(polled.data(), polled.size(), milliseconds_until(deadline)) <= 0) break;
    work(polled, watch);
  }
  for (RunningHelper& helper : helpers_) helper.end();
}

}  // namespace sbox
