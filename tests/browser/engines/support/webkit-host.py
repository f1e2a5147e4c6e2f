#!/usr/bin/python3
"""A browser window around WebKitGTK for WebKitWebDriver: `webkit-host.py PROFILE`.

MiniBrowser forgets everything at its end while it is driven. This one keeps its data in a folder, so that a walk can
kill it and go on. It grants what pages ask for and says where it is.
"""

import sys

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("WebKit2", "4.1")
from gi.repository import Gtk, WebKit2  # noqa: E402

PROFILE, WIDTH, HEIGHT, LATITUDE, LONGITUDE, ACCURACY = sys.argv[1:7]

context = WebKit2.WebContext(
    website_data_manager=WebKit2.WebsiteDataManager(
        base_data_directory=f"{PROFILE}/data", base_cache_directory=f"{PROFILE}/cache"
    )
)
context.set_automation_allowed(True)
context.set_preferred_languages(["en-GB", "en"])
context.get_cookie_manager().set_persistent_storage(f"{PROFILE}/cookies", WebKit2.CookiePersistentStorage.SQLITE)


def allow(_view, request):
    request.allow()
    return True


def locate(manager):
    manager.update_position(WebKit2.GeolocationPosition.new(float(LATITUDE), float(LONGITUDE), float(ACCURACY)))
    return True


def new_view(_session):
    view = WebKit2.WebView(web_context=context, is_controlled_by_automation=True)
    settings = view.get_settings()
    settings.set_enable_media_stream(True)
    settings.set_enable_mock_capture_devices(True)
    view.connect("permission-request", allow)
    window = Gtk.Window()
    window.set_default_size(int(WIDTH), int(HEIGHT))
    window.add(view)
    window.show_all()
    view.connect("close", lambda _view: window.destroy())
    return view


def started(_context, session):
    info = WebKit2.ApplicationInfo()
    info.set_name("webkit-host")
    session.set_application_info(info)
    session.connect("create-web-view", new_view)


context.connect("automation-started", started)
context.get_geolocation_manager().connect("start", locate)
Gtk.main()
