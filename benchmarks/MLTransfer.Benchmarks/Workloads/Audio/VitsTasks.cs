using MLTransfer.Torch.Networks.Vits;
using static TorchSharp.torch;

namespace MLTransfer.Benchmarks.Workloads.Audio;

/// <summary>Speech of the shape of MMS-TTS (facebook/mms-tts-eng; the defaults of transformers' VitsConfig), with random weights.</summary>
internal static class VitsTasks
{
    public static IEnumerable<SoundTask> Create()
    {
        var model = VitsModel.Create(new() { ["model_type"] = "vits" }, seed: 1);
        var plain = new PlainVits(model);
        using var generator = new Generator(2);
        var input = new VitsInput
        {
            InputIds = randint(model.VocabularySize, [1, 101], generator: generator).to(int64), NoiseScale = 0, DurationNoiseScale = 0,
            SpeakingRate = 0.35,
        };
        using var spoken = model.Forward(input);
        var seconds = (double)spoken.Waveforms.shape[1] / model.SampleRate;
        yield return new("MMS-TTS speaks", seconds, () => model.Forward(input).Dispose(), () => plain.Speak(input).Dispose());
    }
}
