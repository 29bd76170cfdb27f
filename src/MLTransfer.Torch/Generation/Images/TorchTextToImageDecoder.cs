using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Numerics.Rows;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Generation.Images;

/// <summary>Decodes with a TorchSharp network.</summary>
internal sealed class TorchTextToImageDecoder : ITextToImageDecoder
{
    private readonly TextToImageModel _model;

    /// <summary>Puts the model into evaluation mode; it stays the caller's.</summary>
    public TorchTextToImageDecoder(TextToImageModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        model.eval();
        _model = model;
    }

    public int CodesPerSide => _model.CodesPerSide;

    public int CodebookSize => _model.CodebookSize;

    public int LogitsPerPosition => _model.LogitsPerPosition;

    public int CaptionVocabulary => _model.TextVocabularySize;

    public int PictureSize => _model.CodesPerSide * _model.Codec.DownsamplingFactor;

    public int MostRows => _model.Device.type == TorchSharp.DeviceType.CPU ? RowProduct.MaximumRows : int.MaxValue;

    public UseCount.Hold Hold() => _model.training
        ? throw new InvalidOperationException(
            "The model is in training mode, where dropout changes what it computes. Call its eval() first.")
        : _model.Hold();

    public int[] PadCaption(IReadOnlyList<int>? caption) => _model.PadCaption(caption);

    public ICodeWriter CreateWriter(IReadOnlyList<int[]> text) => _model.CreateWriter(text);

    public int[] EncodePicture(float[] pixels)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var codes = _model.Codec.Encode(tensor(pixels, [1, 3, PictureSize, PictureSize], device: _model.Codec.Device)); // [1, S]
        return [.. NativeTensor.AsSpan<long>(codes.cpu().contiguous()).ToArray().Select(code => (int)code)];
    }

    public float[] DecodePicture(IReadOnlyList<int> codes)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var ids = tensor(codes.Select(code => (long)code).ToArray(), [1, codes.Count], device: _model.Codec.Device);
        var picture = _model.Codec.Decode(ids).to(ScalarType.Float32).cpu().contiguous(); // [1, 3, side, side]
        return NativeTensor.AsSpan<float>(picture).ToArray();
    }
}
