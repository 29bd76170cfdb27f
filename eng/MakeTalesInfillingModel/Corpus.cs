using System.Text;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training.Language;
using SharpCompress.Compressors.Xz;

namespace MakeTalesInfillingModel;

/// <summary>Paragraphs, one a line, in an xz file.</summary>
internal static class Corpus
{
    public static IReadOnlyList<string> Read(string path)
    {
        using var file = File.OpenRead(path);
        using var reader = new StreamReader(new XZStream(file), Encoding.UTF8);
        var paragraphs = new List<string>();
        while (reader.ReadLine() is { } line)
        {
            if (line.Length > 0)
                paragraphs.Add(line);
        }

        return paragraphs;
    }

    /// <summary>Rows of equal length: paragraphs after each other, between the tokens that begin and end a text.</summary>
    /// <param name="paragraphs">The texts.</param>
    /// <param name="tokenizer">Makes tokens of them.</param>
    /// <param name="length">Tokens of a row.</param>
    public static IReadOnlyList<TrainingExample> Rows(IEnumerable<string> paragraphs, TextTokenizer tokenizer, int length)
    {
        var frame = tokenizer.Encode("");
        if (frame.Length != 2)
            throw new InvalidOperationException($"An empty text has {frame.Length} tokens; expected those that begin and end a text.");
        var rows = new List<TrainingExample>();
        var row = new List<int>(length) { frame[0] };
        foreach (var paragraph in paragraphs)
        {
            foreach (var id in tokenizer.Encode(paragraph).AsSpan()[1..^1])
            {
                row.Add(id);
                if (row.Count < length - 1)
                    continue;
                row.Add(frame[1]);
                rows.Add(new TrainingExample([.. row], [.. row]));
                row.RemoveRange(1, row.Count - 1);
            }
        }

        return rows;
    }
}
