using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Vits;
using MLTransfer.Torch.Sounds;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Generation;

/// <summary>Speaks with a TorchSharp network.</summary>
internal sealed class TorchSpeechDecoder : ISpeechDecoder
{
    private readonly VitsModel _model;

    /// <summary>Puts the model into evaluation mode; it stays the caller's.</summary>
    public TorchSpeechDecoder(VitsModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (model.training)
            model.eval();
        _model = model;
    }

    public int VocabularySize => _model.VocabularySize;

    public int SampleRate => _model.SampleRate;

    public int SpeakerCount => _model.SpeakerCount;

    public UseCount.Hold Hold() => _model.Hold();

    public void Check(SpeechOptions options)
    {
        // It follows all of them.
    }

    public Waveform Speak(int[] ids, int? speaker, long seed, SpeechOptions options)
    {
        using var scope = NewDisposeScope();
        using var output = _model.Forward(new VitsInput
        {
            InputIds = tensor(ids.Select(id => (long)id).ToArray()).unsqueeze(0),
            SpeakerIds = speaker is { } voice ? tensor(new[] { (long)voice }) : null,
            SpeakingRate = options.SpeakingRate,
            NoiseScale = options.NoiseScale,
            DurationNoiseScale = options.DurationNoiseScale,
            Seed = seed,
        });
        return Waveform.FromTensor(output.Waveforms, _model.SampleRate);
    }
}
