namespace TextGeneration;

internal class Story
{
    public string Text { get; set; } = "";
}
