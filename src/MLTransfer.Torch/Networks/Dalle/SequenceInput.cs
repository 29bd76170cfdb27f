using System.Numerics.Tensors;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics.Rows;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Embedding = MLTransfer.Torch.Layers.Embedding;
using Tensor = TorchSharp.torch.Tensor;

namespace MLTransfer.Torch.Networks.Dalle;

/// <summary>What comes before the first layer: vectors of tokens and, where positions are not turned, of places.</summary>
internal sealed class SequenceInput
{
    /// <summary>The share of its gradient that the embedding of a stable network gets.</summary>
    private const double DampedShare = 0.1;

    private readonly DalleConfiguration _sizes;
    private readonly TokenTable _text;
    private readonly TokenTable _image;
    private readonly Embedding? _textPositions;
    private readonly Parameter? _rows;    // [1, side, 1, width]
    private readonly Parameter? _columns; // [1, 1, side, width]

    public SequenceInput(DalleConfiguration sizes, DalleBuilder builder, SequenceHead head)
    {
        _sizes = sizes;
        (_text, _image) = sizes.SharesEmbeddings
            ? (new TokenTable(head.Layer, 0), new TokenTable(head.Layer, sizes.TextRows))
            : (new TokenTable(builder.Table(DalleNames.TextTable, sizes.TextRows, sizes.Width)),
                new TokenTable(builder.Table(DalleNames.ImageTable, sizes.CodebookSize, sizes.Width)));
        if (sizes.Rotary)
            return;
        _textPositions = builder.Table(DalleNames.TextPositions, sizes.TextPositions, sizes.Width);
        _rows = builder.Parameter(DalleNames.RowPositions, Initialization.Normal(1), 1, sizes.Side, 1, sizes.Width);
        _columns = builder.Parameter(DalleNames.ColumnPositions, Initialization.Normal(1), 1, 1, sizes.Side, sizes.Width);
    }

    /// <summary>The table of text tokens; null where they are rows of the head.</summary>
    public Embedding? TextTable => _text.Own;

    /// <summary>The text with a token of its own for the padding of each place: [B, L] of ids in which 0 is padding.</summary>
    public Tensor Padded(Tensor text)
    {
        using var scope = NewDisposeScope();
        var padding = arange(_sizes.TextVocabulary, _sizes.TextRows, ScalarType.Int64, text.device);
        return where(text.eq(0), padding, text).MoveToOuterDisposeScope();
    }

    /// <summary>[B, T, width].</summary>
    /// <param name="text">[B, L], as <see cref="Padded"/> gives it.</param>
    /// <param name="codes">[B, codes so far], of which none of a whole picture's last is read; null for none.</param>
    public Tensor Forward(Tensor text, Tensor? codes)
    {
        using var scope = NewDisposeScope();
        var start = zeros([text.shape[0], 1], ScalarType.Int64, text.device);
        var tokens = _text.LookUp(cat([start, text], 1));                                      // [B, L + 1, width]
        if (_textPositions is not null)
            tokens = tokens + _textPositions.Weight;
        var count = Math.Min(codes?.shape[1] ?? 0, _sizes.ImageLength - 1);
        if (count > 0)
        {
            var image = _image.LookUp(codes!.narrow(1, 0, count));
            if (_rows is not null)
                image = image + (_rows + _columns!).view(1, _sizes.ImageLength, _sizes.Width).narrow(1, 0, count);
            tokens = cat([tokens, image], 1);
        }

        if (_sizes.Stable)
            tokens = tokens * DampedShare + tokens.detach() * (1 - DampedShare);
        return tokens.MoveToOuterDisposeScope();
    }

    /// <summary>One code of each row: [rows, width].</summary>
    /// <param name="codes">[rows].</param>
    /// <param name="place">Their number in the picture.</param>
    /// <param name="target">Takes the vectors.</param>
    public void Step(ReadOnlySpan<int> codes, int place, Span<float> target)
    {
        using var buffer = new RowBuffer(_sizes.Width);
        for (var row = 0; row < codes.Length; row++)
        {
            var vector = target.Slice(row * _sizes.Width, _sizes.Width);
            _image.Read(codes[row], vector);
            if (_rows is null)
                continue;
            FloatRows.Read(_rows, (long)(place / _sizes.Side) * _sizes.Width, buffer.Span);
            TensorPrimitives.Add(vector, buffer.Span, vector);
            FloatRows.Read(_columns!, (long)(place % _sizes.Side) * _sizes.Width, buffer.Span);
            TensorPrimitives.Add(vector, buffer.Span, vector);
        }
    }
}
