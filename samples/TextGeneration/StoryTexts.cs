using Microsoft.ML;

namespace TextGeneration;

/// <summary>The text to learn from, a part to choose the best weights by, and a part that nothing is chosen by.</summary>
internal sealed record StoryTexts(string Training, string Validation, string Test)
{
    /// <summary>
    /// The sample's own stories, or the parts of a file: its last tenth is held out, half for validation and half for the test.
    /// </summary>
    public static StoryTexts Load(FileInfo? file)
    {
        if (file is null)
        {
            var folder = Path.Combine(AppContext.BaseDirectory, "data", "mars");
            return new StoryTexts(Read("train"), Read("valid"), Read("test"));

            string Read(string part) => File.ReadAllText(Path.Combine(folder, part + ".txt"));
        }

        var text = File.ReadAllText(file.FullName);
        var (validation, test) = (LineStart(text, 0.9), LineStart(text, 0.95));
        return new StoryTexts(text[..validation], text[validation..test], text[test..]);
    }

    /// <summary>Each part as a row of an ML.NET data view, as a generator reads whole texts.</summary>
    public (IDataView Training, IDataView Validation, IDataView Test) Load(MLContext ml) =>
        (Rows(ml, Training), Rows(ml, Validation), Rows(ml, Test));

    /// <summary>A row for each text.</summary>
    public static IDataView Rows(MLContext ml, params IEnumerable<string> texts) =>
        ml.Data.LoadFromEnumerable(texts.Select(text => new Story { Text = text }));

    private static int LineStart(string text, double share)
    {
        var position = (int)(text.Length * share);
        var newline = text.IndexOf('\n', position);
        return newline < 0 ? position : newline + 1;
    }
}
