using System.Globalization;
using System.Text;

namespace MLTransfer.Torch.ChatTemplates.Evaluation;

/// <summary>C's <c>strftime</c> in its English locale.</summary>
internal static class TimeFormat
{
    public static string Write(string format, DateTime time)
    {
        var result = new StringBuilder();
        for (var at = 0; at < format.Length; at++)
        {
            if (format[at] != '%' || at + 1 == format.Length)
            {
                result.Append(format[at]);
                continue;
            }
            var isBare = format[at + 1] == '-' && at + 2 < format.Length;
            at += isBare ? 2 : 1;
            var text = Part(format[at], time);
            if (text is null)
                result.Append(isBare ? "%-" : "%").Append(format[at]);
            else
                result.Append(isBare && text.TrimStart('0', ' ') is var bare ? bare.Length > 0 ? bare : "0" : text);
        }
        return result.ToString();
    }

    private static string? Part(char kind, DateTime time)
    {
        string Form(string form) => time.ToString(form, CultureInfo.InvariantCulture);
        return kind switch
        {
            'Y' => Form("yyyy"),
            'y' => Form("yy"),
            'C' => Form("yyyy")[..2],
            'm' => Form("MM"),
            'd' => Form("dd"),
            'e' => time.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2),
            'H' => Form("HH"),
            'I' => Form("hh"),
            'M' => Form("mm"),
            'S' => Form("ss"),
            'f' => Form("ffffff"),
            'p' => Form("tt"),
            'a' => Form("ddd"),
            'A' => Form("dddd"),
            'b' or 'h' => Form("MMM"),
            'B' => Form("MMMM"),
            'j' => time.DayOfYear.ToString("000", CultureInfo.InvariantCulture),
            'u' => ((((int)time.DayOfWeek) + 6) % 7 + 1).ToString(CultureInfo.InvariantCulture),
            'w' => ((int)time.DayOfWeek).ToString(CultureInfo.InvariantCulture),
            'U' => ((time.DayOfYear + 6 - (int)time.DayOfWeek) / 7).ToString("00", CultureInfo.InvariantCulture),
            'W' => ((time.DayOfYear + 6 - (((int)time.DayOfWeek + 6) % 7)) / 7).ToString("00", CultureInfo.InvariantCulture),
            'V' => ISOWeek.GetWeekOfYear(time).ToString("00", CultureInfo.InvariantCulture),
            'G' => ISOWeek.GetYear(time).ToString("0000", CultureInfo.InvariantCulture),
            'F' => Form("yyyy-MM-dd"),
            'T' => Form("HH:mm:ss"),
            'R' => Form("HH:mm"),
            'D' or 'x' => Form("MM/dd/yy"),
            'X' => Form("HH:mm:ss"),
            'c' => Form("ddd MMM ") + time.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2) + Form(" HH:mm:ss yyyy"),
            'n' => "\n",
            't' => "\t",
            '%' => "%",
            'z' or 'Z' => "",
            _ => null,
        };
    }
}
