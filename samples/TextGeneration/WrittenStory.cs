namespace TextGeneration;

internal sealed class WrittenStory : Story
{
    public string Continuation { get; set; } = "";
}
