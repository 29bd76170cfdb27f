namespace MLTransfer.Tests;

internal sealed class Story
{
    public string? Opening { get; set; }

    public string? Text { get; set; }

    public float Number { get; set; }
}

internal sealed class Continued
{
    public string? Continuation { get; set; }
}

internal sealed class PromptRow
{
    public string? Prompt { get; set; }

    public string? Completion { get; set; }
}

internal static class TestData
{
    /// <summary>The tiny random GPT-2: context 64, 700 tokens.</summary>
    public static string TinyModel => RepositoryFiles.Data("gpt2-tiny");

    public static IReadOnlyList<Story> Stories(int count) =>
    [
        .. Enumerable.Range(0, count).Select(i => new Story
        {
            Opening = $"Story {i}: the old man",
            Text = $"Story {i}: the old man looked at the red planet, and the planet looked back at the old man number {i}.",
            Number = i,
        }),
    ];
}
