// SPDX-License-Identifier: Apache-2.0
//
// A line of the log: see log_line.h. Only functions that the handler of a signal may call are used,
// so digits and the date are made by hand.

#include "base/log_line.h"

#include <stdbool.h>
#include <string.h>

// What begins a line that continues a text.
static const char indentation[] = "    ";

static char *put(char *at, const char *text)
{
    size_t length = strlen(text);
    memcpy(at, text, length);
    return at + length;
}

static char *put_digits(char *at, long number, int digits)
{
    for (int i = digits; i-- > 0; number /= 10)
        at[i] = (char)('0' + number % 10);
    return at + digits;
}

// ---- the time ----

// Days since 1970-01-01 as "2026-11-28", counted in years that begin with March.
static char *put_date(char *at, long days)
{
    enum { ERA = 146097, TO_1970 = 719468 };
    days += TO_1970;
    long era = days / ERA, day = days % ERA;
    long year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    day -= 365 * year + year / 4 - year / 100;
    long month = (5 * day + 2) / 153;
    long date = day - (153 * month + 2) / 5 + 1;
    month += month < 10 ? 3 : -9;
    at = put_digits(at, era * 400 + year + (month <= 2), 4);
    *at++ = '-';
    at = put_digits(at, month, 2);
    *at++ = '-';
    return put_digits(at, date, 2);
}

static char *put_clock(char *at, long second, long nanoseconds)
{
    at = put_digits(at, second / 3600, 2);
    *at++ = ':';
    at = put_digits(at, second / 60 % 60, 2);
    *at++ = ':';
    at = put_digits(at, second % 60, 2);
    *at++ = '.';
    return put_digits(at, nanoseconds / 1000000, 3);
}

static char *put_offset(char *at, long offset)
{
    *at++ = offset < 0 ? '-' : '+';
    offset = offset < 0 ? -offset : offset;
    at = put_digits(at, offset / 3600, 2);
    *at++ = ':';
    return put_digits(at, offset / 60 % 60, 2);
}

char *log_line_begin(char *at, enum log_format format, const struct timespec *time, long offset,
                     const char *level)
{
    enum { DAY = 86400, LEVEL_WIDTH = 8 };
    long local = time->tv_sec + offset;
    if (format == LOG_BARE)
        return at;
    if (format == LOG_JSON) {
        at = put_date(put(at, "{\"time\":\""), local / DAY);
        *at++ = 'T';
    }
    if (format == LOG_DATED) {
        at = put_date(at, local / DAY);
        *at++ = ' ';
    }
    at = put_clock(at, local % DAY, time->tv_nsec);
    if (format == LOG_JSON) {
        at = put(put_offset(at, offset), "\",\"level\":\"");
        return put(put(at, level), "\",\"message\":\"");
    }
    *at++ = ' ';
    at = put(at, level);
    for (size_t width = strlen(level); width < LEVEL_WIDTH; width++)
        *at++ = ' ';
    return at;
}

char *log_line_end(char *at, enum log_format format)
{
    if (format == LOG_JSON)
        at = put(at, "\"}");
    if (format != LOG_BARE)
        *at++ = '\n';
    return at;
}

// ---- the message ----

static bool is_plain(unsigned char byte, enum log_format format)
{
    return byte >= 0x20 && byte < 0x7f && (format != LOG_JSON || (byte != '"' && byte != '\\'));
}

static size_t plain_length(const char *text, enum log_format format)
{
    size_t length = 0;
    while (is_plain((unsigned char)text[length], format))
        length++;
    return length;
}

// The length of the character at `text`, which is not ASCII, with its number in `*point`; 0 if that
// is not UTF-8.
static size_t read_character(const unsigned char *text, unsigned *point)
{
    static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = *text < 0xc2 ? 0 : *text < 0xe0 ? 2 : *text < 0xf0 ? 3 : *text < 0xf5 ? 4 : 0;
    if (length == 0)
        return 0;
    *point = *text & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        *point = *point << 6 | (text[i] & 0x3fu);
    }
    bool surrogate = *point >= 0xd800 && *point <= 0xdfff;
    return *point < least[length] || *point > 0x10ffff || surrogate ? 0 : length;
}

static char *put_escape(char *at, const char *prefix, unsigned byte)
{
    static const char digits[] = "0123456789abcdef";
    at = put(at, prefix);
    *at++ = digits[byte >> 4 & 0xf];
    *at++ = digits[byte & 0xf];
    return at;
}

static char *put_newline(char *at, enum log_format format, char next)
{
    if (format == LOG_JSON)
        return put(at, "\\n");
    *at++ = '\n';
    return format == LOG_BARE || next == ' ' || next == '\t' ? at : put(at, indentation);
}

static char *put_ascii(char *at, enum log_format format, const char *text)
{
    bool json = format == LOG_JSON;
    if (*text == '\n')
        return put_newline(at, format, text[1]);
    if (*text == '\t' && !json)
        return put(at, "\t");
    if (*text == '\t' || *text == '"' || *text == '\\') {
        *at++ = '\\';
        *at++ = *text == '\t' ? 't' : *text;
        return at;
    }
    return put_escape(at, json ? "\\u00" : "\\x", (unsigned char)*text);
}

static char *put_other(char *at, enum log_format format, const unsigned char *text, size_t *length)
{
    unsigned point;
    size_t whole = read_character(text, &point);
    *length = whole > 0 ? whole : 1;
    if (whole == 0)
        return put_escape(at, format == LOG_JSON ? "\\\\x" : "\\x", *text);
    if (point >= 0xa0) {
        memcpy(at, text, whole);
        return at + whole;
    }
    if (format == LOG_JSON)
        return put_escape(at, "\\u00", point);
    return put_escape(put_escape(at, "\\x", text[0]), "\\x", text[1]);
}

char *log_line_text(char *at, const char *end, enum log_format format, const char *text)
{
    enum { LONGEST = 8 }; // of what stands for one character
    const char *last = text + strlen(text);
    while (last > text && last[-1] == '\n')
        last--;
    while (text < last && end - at >= LONGEST) {
        size_t length = plain_length(text, format), room = (size_t)(end - at);
        if (length > 0) {
            length = length < room ? length : room;
            memcpy(at, text, length);
            at += length;
        } else if ((unsigned char)*text < 0x80) {
            at = put_ascii(at, format, text);
            length = 1;
        } else {
            at = put_other(at, format, (const unsigned char *)text, &length);
        }
        text += length;
    }
    return at;
}
