using Microsoft.ML.Data;

namespace MLTransfer.Tests.Pages;

/// <summary>A line of the pages' <c>stories.tsv</c>.</summary>
internal sealed class Story
{
    [LoadColumn(0)]
    public string Opening { get; set; } = "";

    [LoadColumn(1)]
    public string Text { get; set; } = "";
}

/// <summary>What the pages' programs print.</summary>
internal sealed class Written
{
    public string Opening { get; set; } = "";

    public string Continuation { get; set; } = "";
}

internal static class Stories
{
    /// <summary>Writes <c>stories.tsv</c>.</summary>
    public static void Write(PageFolder folder, int count) => File.WriteAllLines(
        folder["stories.tsv"], TestData.Stories(count).Select(story => $"{story.Opening}\t{story.Text}"));
}
