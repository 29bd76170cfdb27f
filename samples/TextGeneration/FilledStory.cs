namespace TextGeneration;

internal sealed class FilledStory : Story
{
    public string Filled { get; set; } = "";

    public string[] Candidates { get; set; } = [];

    public float[] LogProbabilities { get; set; } = [];
}
