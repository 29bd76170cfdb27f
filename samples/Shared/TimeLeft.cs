using System.Globalization;

namespace Samples;

/// <summary>How long a run still takes.</summary>
internal static class TimeLeft
{
    /// <summary>Minutes and seconds, <c>4:07</c>; from an hour on hours too, <c>26:04:07</c>.</summary>
    public static string Format(TimeSpan time) => time < TimeSpan.FromHours(1)
        ? time.ToString(@"m\:ss", CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"{(long)time.TotalHours}:{time:mm\\:ss}");
}
