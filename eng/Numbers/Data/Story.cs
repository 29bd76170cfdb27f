namespace Numbers.Data;

internal sealed class Story
{
    public string Opening { get; set; } = "";

    public string Text { get; set; } = "";

    public string Completion { get; set; } = "";

    public static List<Story> Make(int count) =>
    [
        .. Enumerable.Range(0, count).Select(i => new Story
        {
            Opening = $"Story {i}: the old man",
            Text = $"Story {i}: the old man looked at the red planet, and the planet looked back at the old man number {i}."
                + string.Concat(Enumerable.Repeat(" He slept.", i)),
            Completion = $" went home to planet {i}.",
        }),
    ];
}
