using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Dalle;

/// <summary>
/// Channels that come from the position before: of text the first half; of a picture the first quarter from the code above and the second
/// from the code to the left. Zeros where there is none.
/// </summary>
/// <param name="width">Channels.</param>
/// <param name="textPositions">Positions of text.</param>
/// <param name="side">Codes along the picture's side.</param>
internal sealed class TokenShift(int width, int textPositions, int side)
{
    private readonly int _half = WidthsOf(width).Text;
    private readonly int _quarter = WidthsOf(width).Above;

    /// <summary>The channels from the left.</summary>
    private int LeftWidth => WidthsOf(width).Left;

    /// <summary>Channels of a text that come from the position before, and of a picture from above and, behind those, from the
    /// left.</summary>
    public static (int Text, int Above, int Left) WidthsOf(int width)
    {
        var quarter = (width + 3) / 4;
        return ((width + 1) / 2, quarter, Math.Min(quarter, width - quarter));
    }

    /// <summary>[B, T, width] of the first T positions to the same shape.</summary>
    public Tensor Forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        if (x.shape[1] < textPositions)
            return x.alias().MoveToOuterDisposeScope();
        var text = x.narrow(1, 0, textPositions);
        var shifted = cat([Later(text.narrow(2, 0, _half), 1), text.narrow(2, _half, width - _half)], 2);
        var length = x.shape[1] - textPositions;
        if (length == 0)
            return shifted.MoveToOuterDisposeScope();
        var image = x.narrow(1, textPositions, length);
        var isInner = arange(length, device: x.device).remainder(side).ne(0).to(x.dtype).unsqueeze(1);      // [length, 1]
        Tensor[] parts =
        [
            Later(image.narrow(2, 0, _quarter), side),
            Later(image.narrow(2, _quarter, LeftWidth), 1) * isInner,
            image.narrow(2, _quarter + LeftWidth, width - _quarter - LeftWidth),
        ];
        return cat([shifted, cat(parts, 2)], 1).MoveToOuterDisposeScope();
    }

    /// <summary>What is kept of a picture's codes so far.</summary>
    public Memory CreateMemory(int rows) => new(rows, side, _quarter, LeftWidth);

    /// <summary>The same for one code of each row, where it lies: [rows, width].</summary>
    /// <param name="x">The rows.</param>
    /// <param name="memory">Has the codes before; takes this one.</param>
    /// <param name="code">The code's number in the picture.</param>
    public void Step(Span<float> x, Memory memory, int code)
    {
        for (var row = 0; row < x.Length / width; row++)
        {
            var values = x.Slice(row * width, width);
            Swap(values[.._quarter], memory.Above(row, code % side));
            Swap(values.Slice(_quarter, LeftWidth), memory.Left(row));
            if (code % side == 0)
                values.Slice(_quarter, LeftWidth).Clear();
        }
    }

    private static void Swap(Span<float> values, Span<float> memory)
    {
        for (var i = 0; i < values.Length; i++)
            (values[i], memory[i]) = (memory[i], values[i]);
    }

    /// <summary>What was so many positions before; zeros where there was nothing.</summary>
    private static Tensor Later(Tensor x, int positions)
    {
        var length = x.shape[1];
        var count = Math.Min(positions, length);
        var none = zeros([x.shape[0], count, x.shape[2]], x.dtype, x.device);
        return length <= positions ? none : cat([none, x.narrow(1, 0, length - positions)], 1);
    }

    /// <summary>The channels of the last row of codes, and of the last code.</summary>
    internal sealed class Memory(int rows, int side, int aboveWidth, int leftWidth)
    {
        private readonly float[] _above = new float[rows * side * aboveWidth];
        private readonly float[] _left = new float[rows * leftWidth];

        public Span<float> Above(int row, int column) => _above.AsSpan((row * side + column) * aboveWidth, aboveWidth);

        public Span<float> Left(int row) => _left.AsSpan(row * leftWidth, leftWidth);
    }
}
