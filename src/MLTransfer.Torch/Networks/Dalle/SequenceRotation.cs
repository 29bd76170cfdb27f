using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Networks.Transformers.Description;
using MLTransfer.Torch.Numerics.Rows;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Dalle;

/// <summary>
/// Rotary positions (arXiv 2104.09864) of a sequence of text and a picture: a third of a head's channels is turned by the place in the
/// text, from which pictures are far away, a third by the row and a third by the column, from which texts are.
/// </summary>
/// <remarks>Of a third of r channels the pairs are r / 2 rounded down; pairs are neighbours. What is left stays.</remarks>
internal sealed class SequenceRotation : IDisposable
{
    private const int PlaceOfPictures = 8192;

    private const float PlaceOfTexts = -10;

    private readonly RotaryTable _table;
    private readonly Tensor _cosines; // [1, 1, positions, pairs] float32
    private readonly Tensor _sines;
    private readonly float[] _cosineRows; // [positions, pairs]
    private readonly float[] _sineRows;

    /// <param name="angles">[1, positions, 2 pairs], each angle twice.</param>
    public SequenceRotation(Tensor angles)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        Pairs = (int)angles.shape[2] / 2;
        var once = angles.detach().to(ScalarType.Float32).view(1, 1, angles.shape[1], Pairs, 2).select(4, 0);
        _cosines = once.cos().contiguous().DetachFromDisposeScope();
        _sines = once.sin().contiguous().DetachFromDisposeScope();
        _table = new RotaryTable(new Rotary(2 * Pairs, 1, Pairing.Neighbours));
        (_cosineRows, _sineRows) = (RowsOf(_cosines), RowsOf(_sines));
    }

    /// <summary>Pairs of a head that are turned.</summary>
    public int Pairs { get; }

    /// <summary>Channels of a head that are turned.</summary>
    public static int Width(int headWidth) => 6 * (headWidth / 3 / 2);

    /// <summary>The angles of all positions: [1, text positions + codes, turned channels] float32, each twice in a row.</summary>
    public static Tensor Angles(DalleConfiguration sizes)
    {
        using var scope = NewDisposeScope();
        var third = sizes.HeadWidth / 3;
        var count = third / 2;
        var ofText = (10000f * ones(1)).pow(arange(0, 2 * count, 2, ScalarType.Float32) / third).reciprocal();  // [count]
        var ofPixels = linspace(1, 5, count, ScalarType.Float32) * Math.PI;
        var places = cat([arange(sizes.TextPositions, ScalarType.Float32), full([sizes.ImageLength], PlaceOfPictures, ScalarType.Float32)]);
        var side = linspace(-1, 1, sizes.Side, ScalarType.Float32);
        var far = full([sizes.TextPositions], PlaceOfTexts, ScalarType.Float32);
        var rows = cat([far, side.repeat_interleave(sizes.Side)]);
        var columns = cat([far, side.repeat(sizes.Side)]);
        return cat([outer(places, ofText), outer(rows, ofPixels), outer(columns, ofPixels)], 1)                 // [positions, pairs]
            .repeat_interleave(2, 1).unsqueeze(0).MoveToOuterDisposeScope();
    }

    /// <summary>Turns the heads of the first positions: [batch, length, heads, head width].</summary>
    public Tensor Turn(Tensor heads)
    {
        using var scope = NewDisposeScope();
        var length = heads.shape[1];
        return _table.Turn(heads.transpose(1, 2), _cosines.narrow(2, 0, length), _sines.narrow(2, 0, length)).transpose(1, 2)
            .MoveToOuterDisposeScope();
    }

    /// <summary>Turns heads of one position, where they lie: [rows, heads, head width].</summary>
    public void Turn(RowSlices heads, int position)
    {
        using var buffer = new RowBuffer(2 * heads.Rows * Pairs);
        var cosines = buffer.Span[..(heads.Rows * Pairs)];
        var sines = buffer.Span[(heads.Rows * Pairs)..];
        for (var row = 0; row < heads.Rows; row++)
        {
            _cosineRows.AsSpan(position * Pairs, Pairs).CopyTo(cosines[(row * Pairs)..]);
            _sineRows.AsSpan(position * Pairs, Pairs).CopyTo(sines[(row * Pairs)..]);
        }

        RowRotation.Apply(heads, cosines, sines, neighbours: true);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _cosines.Dispose();
        _sines.Dispose();
    }

    private static float[] RowsOf(Tensor table)
    {
        if (table.device_type == TorchSharp.DeviceType.META)
            return [];
        using var values = table.cpu();
        return NativeTensor.AsSpan<float>(values).ToArray();
    }
}
