using System.Globalization;

namespace Numbers.Reports;

/// <summary>Folders that are gone after the run.</summary>
internal static class Scratch
{
    private static readonly string s_root = Directory.CreateTempSubdirectory("numbers-").FullName;
    private static int s_count;

    /// <summary>A path in which there is nothing.</summary>
    public static string Path() => System.IO.Path.Combine(s_root, (++s_count).ToString(CultureInfo.InvariantCulture));

    /// <summary>An empty folder.</summary>
    public static string Folder() => Directory.CreateDirectory(Path()).FullName;

    public static string Hide(string message) => message.Replace(s_root, "<temporary>").ReplaceLineEndings(" ");

    public static void Delete() => Directory.Delete(s_root, recursive: true);
}
