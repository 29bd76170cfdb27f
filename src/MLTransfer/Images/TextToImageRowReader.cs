using System.Globalization;
using System.Numerics;
using MLTransfer.Columns;
using MLTransfer.Torch.Generation.Images;
using Microsoft.ML;

namespace MLTransfer.Images;

/// <summary>Reads captions, pictures and seeds of the source's current row.</summary>
internal sealed class TextToImageRowReader
{
    private readonly DataViewRow _source;
    private readonly TextToImageInputs _inputs;
    private readonly int _side;
    private readonly ValueGetter<ReadOnlyMemory<char>>? _text;
    private readonly ColumnValues? _images;
    private readonly Func<long>? _seed;

    /// <param name="source">The rows.</param>
    /// <param name="inputs">The columns.</param>
    /// <param name="side">Pixels along a picture's side.</param>
    public TextToImageRowReader(DataViewRow source, TextToImageInputs inputs, int side)
    {
        (_source, _inputs, _side) = (source, inputs, side);
        _text = inputs.Text is { } text ? source.GetGetter<ReadOnlyMemory<char>>(text) : null;
        _images = inputs.Image is { } image ? ColumnValues.Create(source, image, [3, side, side], ImageScaling.ZeroToOne) : null;
        _seed = inputs.Seed is { } seed
            ? (Func<long>)Delegate.CreateDelegate(typeof(Func<long>), Activator.CreateInstance(
                typeof(SeedValue<>).MakeGenericType(seed.Type.RawType), source, seed)!, nameof(SeedValue<int>.Read))
            : null;
    }

    /// <summary>The caption; null where it is missing or blank.</summary>
    public string? ReadText()
    {
        if (_text is null)
            return null;
        ReadOnlyMemory<char> value = default;
        _text(ref value);
        return value.Span.IsWhiteSpace() ? null : value.ToString();
    }

    /// <summary>The picture, [3, side, side] from 0 to 1; null where there is no such column.</summary>
    /// <exception cref="InvalidOperationException">It is missing or of another size.</exception>
    public float[]? ReadPixels()
    {
        if (_images is null)
            return null;
        _images.Clear();
        _images.Add();
        var pixels = new float[3 * _side * _side];
        _images.CopyTo(0, pixels);
        return Array.ConvertAll(pixels, value => Math.Min(value, 1)); // 255 times the float of 1/255 may be a bit more
    }

    /// <summary>The seed; null where there is no such column.</summary>
    /// <exception cref="InvalidOperationException">It is no whole number.</exception>
    public long? ReadSeed() => _seed is null ? null : RowCheck.Of(_source, _inputs.Seed!.Value, _seed);

    /// <summary>What a row asks for.</summary>
    /// <param name="drawn">Its seed where no column has it.</param>
    public ImagePrompt ReadPrompt(long drawn) => new() { Text = ReadText(), Pixels = ReadPixels(), Seed = ReadSeed() ?? drawn };

    private sealed class SeedValue<T>(DataViewRow source, DataViewSchema.Column column)
        where T : struct, INumber<T>
    {
        private readonly ValueGetter<T> _getter = source.GetGetter<T>(column);

        public long Read()
        {
            T value = default;
            _getter(ref value);
            return T.IsInteger(value) && T.CreateSaturating(long.CreateSaturating(value)) == value ? long.CreateSaturating(value)
                : throw new ArgumentException(string.Create(
                    CultureInfo.InvariantCulture, $"The seed is {value}; expected a whole number of at most 64 bits."));
        }
    }
}
