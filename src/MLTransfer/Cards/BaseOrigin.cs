using MLTransfer.Models;

namespace MLTransfer.Cards;

/// <summary>What a model was made from, and on which terms.</summary>
/// <param name="Name">A hub id, the name of an embedded model, or the last part of a folder's path.</param>
/// <param name="License">The hub's identifier, such as <c>mit</c>; null where it is not known.</param>
/// <param name="LicenseName">The name of a licence that the hub has no identifier for (<c>other</c>).</param>
/// <param name="LicenseLink">Where that licence is.</param>
/// <param name="Languages">ISO codes of the base's languages, where they are known.</param>
internal sealed record BaseOrigin(
    string Name, string? License = null, string? LicenseName = null, string? LicenseLink = null, IReadOnlyList<string>? Languages = null)
{
    private const int LongestFile = 1 << 20;

    private static readonly string[] s_licenseFiles = ["LICENSE", "LICENSE.txt", "LICENSE.md"];

    /// <summary>Reads the terms from the base's <c>README.md</c> or <c>LICENSE</c>; those of embedded models are known.</summary>
    /// <param name="folderOrHubId">As the user names the base.</param>
    /// <param name="folder">Where its files are.</param>
    public static BaseOrigin Read(string folderOrHubId, string folder) => folderOrHubId switch
    {
        TalesModel.Id => new BaseOrigin(TalesModel.Id, TalesModel.License, Languages: [TalesModel.Language]),
        PretrainedModels.Shapes => new BaseOrigin(PretrainedModels.Shapes, "mit"), // its package says so
        PretrainedModels.TalesInfilling => new BaseOrigin(PretrainedModels.TalesInfilling, "mit", Languages: [TalesModel.Language]),
        PretrainedModels.Tunes or PretrainedModels.Voice => new BaseOrigin(folderOrHubId, "mit", Languages: ["en"]),
        _ when File.Exists(folder) => ReadFile(folder),
        _ => ReadFolder(Directory.Exists(folderOrHubId) ? FolderName(folderOrHubId) : folderOrHubId, folder),
    };

    /// <summary>A base that is a file of the user's, beside which its terms may stand.</summary>
    public static BaseOrigin ReadFile(string path) => ReadFolder(Path.GetFileName(path), Path.GetDirectoryName(Path.GetFullPath(path))!);

    private static BaseOrigin ReadFolder(string name, string folder)
    {
        var entries = FrontMatter.Read(Content(Path.Combine(folder, "README.md")) ?? "");
        var languages = entries.GetValueOrDefault("language") ?? [];
        return First("license") is { } license and not "unknown"
            ? new BaseOrigin(name, license, First("license_name"), First("license_link"), languages)
            : FromLicenseFile(folder) is { } found
                ? new BaseOrigin(name, found, found == "other" ? "see the LICENSE of the base" : null, Languages: languages)
                : new BaseOrigin(name, Languages: languages);

        string? First(string entry) => entries.GetValueOrDefault(entry) is [var text, ..] ? text : null;
    }

    private static string? FromLicenseFile(string folder) =>
        s_licenseFiles.Select(name => Content(Path.Combine(folder, name))).FirstOrDefault(text => text is not null) switch
        {
            null => null,
            var text when text.Contains("Permission is hereby granted, free of charge", StringComparison.Ordinal) => "mit",
            var text when text.Contains("Apache License", StringComparison.Ordinal)
                && text.Contains("Version 2.0", StringComparison.Ordinal) => "apache-2.0",
            _ => "other",
        };

    private static string? Content(string path) =>
        new FileInfo(path) is { Exists: true, Length: <= LongestFile } ? File.ReadAllText(path) : null;

    private static string FolderName(string path) => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));
}
