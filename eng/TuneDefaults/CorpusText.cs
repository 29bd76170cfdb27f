using Microsoft.ML;

namespace TuneDefaults;

/// <summary>A text to tune on: parts of a book, whole or by paragraphs.</summary>
/// <param name="Name">The book, and how much of it.</param>
/// <param name="Training">The beginning of its <c>train.txt</c>: one text, or its paragraphs.</param>
/// <param name="Validation">By which recipes are chosen, and weights within a training.</param>
/// <param name="Test">By which nothing is chosen.</param>
/// <param name="IsByParagraphs">Whether paragraphs stand apart.</param>
internal sealed record CorpusText(string Name, string[] Training, string[] Validation, string[] Test, bool IsByParagraphs)
{
    /// <summary>
    /// The texts of a corpus, the shortest first: of each folder with <c>train.txt</c>, <c>valid.txt</c> and <c>test.txt</c>.
    /// </summary>
    /// <param name="corpus">The folder of folders.</param>
    /// <param name="kilobytes">How much of each <c>train.txt</c>.</param>
    public static IReadOnlyList<CorpusText> Read(string corpus, IEnumerable<int> kilobytes) =>
    [
        .. from size in kilobytes.Order()
           from book in Directory.EnumerateDirectories(corpus).Order(StringComparer.Ordinal)
           where File.Exists(Path.Combine(book, "train.txt"))
           from isByParagraphs in (bool[])[false, true]
           let name = $"{Path.GetFileName(book)}, {size} KB{(isByParagraphs ? " by paragraphs" : "")}"
           select new CorpusText(
               name, Parts(Beginning(Read(book, "train"), size * 1000), isByParagraphs), Parts(Read(book, "valid"), isByParagraphs),
               Parts(Read(book, "test"), isByParagraphs), isByParagraphs),
    ];

    public static IDataView Rows(MLContext ml, string[] parts) => ml.Data.LoadFromEnumerable(parts.Select(part => new Row { Text = part }));

    private static string Read(string book, string part) => File.ReadAllText(Path.Combine(book, part + ".txt"));

    private static string Beginning(string text, int length) =>
        text.Length <= length ? text : text[..(text.LastIndexOf('\n', length - 1) + 1)];

    private static string[] Parts(string text, bool isByParagraphs) => isByParagraphs
        ? text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) : [text];

    private sealed class Row
    {
        public string Text { get; set; } = "";
    }
}
