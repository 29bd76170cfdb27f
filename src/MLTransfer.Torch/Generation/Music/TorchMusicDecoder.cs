using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.MusicGen;
using MLTransfer.Torch.Numerics.Rows;
using MLTransfer.Torch.Sounds;

namespace MLTransfer.Torch.Generation.Music;

/// <summary>Decodes with a TorchSharp network.</summary>
internal sealed class TorchMusicDecoder : IMusicDecoder
{
    private readonly MusicGenModel _model;

    /// <summary>Puts the model into evaluation mode; it stays the caller's.</summary>
    public TorchMusicDecoder(MusicGenModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        model.eval();
        _model = model;
    }

    public int Codebooks => _model.Codebooks;

    public int CodebookSize => _model.CodebookSize;

    public int Channels => _model.Channels;

    public int StartId => _model.StartId;

    public int FrameRate => _model.FrameRate;

    public int ContextLength => _model.Decoder.ContextLength;

    public int CaptionVocabulary => _model.TextEncoder.Description.Output.Input.Rows;

    public int CaptionLength => _model.TextEncoder.ContextLength;

    public int MostRows => _model.Device.type == TorchSharp.DeviceType.CPU ? RowProduct.MaximumRows : int.MaxValue;

    public UseCount.Hold Hold()
    {
        if (_model.Decoder.training || _model.TextEncoder.training)
        {
            throw new InvalidOperationException(
                "The model is in training mode, where dropout changes what it computes. Call its eval() first.");
        }

        return _model.Hold();
    }

    public IMusicBatch CreateBatch(IReadOnlyList<int[]?> captions, double guidance) => new MusicBatch(_model, captions, guidance);

    public int[][] EncodeSound(Waveform sound) => _model.EncodeSound(sound);

    public Waveform DecodeSound(IReadOnlyList<int[]> codes) => _model.DecodeSound(codes);
}
