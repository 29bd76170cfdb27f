using System.Globalization;
using Xunit;

namespace MLTransfer.Tests.Architecture;

/// <summary>What <c>.editorconfig</c> says and no compiler checks.</summary>
public class LineLengthTests
{
    private static readonly string[] s_folders = ["src", "tests", "samples", "benchmarks", "eng"];

    [Fact]
    public void Lines_are_no_longer_than_the_editor_is_told()
    {
        const string Setting = "max_line_length = ";
        var setting = File.ReadLines(Path.Combine(RepositoryFiles.Root, ".editorconfig"))
            .Single(line => line.StartsWith(Setting, StringComparison.Ordinal));
        var limit = int.Parse(setting[Setting.Length..], CultureInfo.InvariantCulture);
        var files = s_folders.SelectMany(folder => Directory.EnumerateFiles(
            Path.Combine(RepositoryFiles.Root, folder), "*.cs", SearchOption.AllDirectories)).ToList();

        var longer =
            from file in files
            from line in File.ReadLines(file).Index()
            where line.Item.Length > limit
            select $"{Path.GetRelativePath(RepositoryFiles.Root, file)}({line.Index + 1}): {line.Item.Length} characters";

        Assert.True(files.Count > 300);
        Assert.Empty(longer);
    }
}
