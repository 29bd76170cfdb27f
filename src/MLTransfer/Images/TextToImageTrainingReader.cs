using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Tokenization;
using Microsoft.ML;

namespace MLTransfer.Images;

/// <summary>Reads the rows that a network which writes codes of pictures learns from, or is measured on, one at a time.</summary>
internal sealed class TextToImageTrainingReader
{
    private readonly IDataView _data;
    private readonly TextToImageInputs _inputs;
    private readonly int _side;

    /// <exception cref="ArgumentException">A column is missing, or is none that the network learns from.</exception>
    public TextToImageTrainingReader(
        IDataView data, string imageColumn, TextToImageColumns columns, TextToImageModel network, TextTokenizer? tokenizer)
    {
        var kind = TextToImageKind.Of(network, tokenizer);
        var (image, text) = columns.FindTraining(data.Schema, imageColumn, kind);
        (_data, _inputs, _side) = (data, new(text, image, null), kind.Side);
    }

    /// <summary>Reads all rows.</summary>
    /// <returns>Pictures, [3, side, side] from 0 to 1, and captions, null for none.</returns>
    /// <exception cref="InvalidOperationException">A picture is missing or of another size; the message names row and column.</exception>
    public IEnumerable<(float[] Pixels, string? Text)> Read(CancellationToken cancellationToken)
    {
        using var cursor = _data.GetRowCursor(_inputs.All);
        var reader = new TextToImageRowReader(cursor, _inputs, _side);
        while (cursor.MoveNext())
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return (reader.ReadPixels()!, reader.ReadText());
        }
    }
}
