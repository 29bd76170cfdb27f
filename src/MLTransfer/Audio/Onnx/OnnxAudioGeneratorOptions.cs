using MLTransfer.Onnx.Generation;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Generation.Music;

namespace MLTransfer;

/// <summary>How a transformer makes sounds with an ONNX export.</summary>
public sealed class OnnxAudioGeneratorOptions
{
    /// <summary>
    /// The graph's file, as a path in the export's folder: of a VITS null for <c>model.onnx</c>; of a MusicGen the decoder's, null for
    /// <c>decoder_model_merged.onnx</c>, beside which the others lie under the same suffix.
    /// </summary>
    public string? ModelFile;

    /// <summary>The threads that compute one pass; 0 for one a physical core, as ONNX Runtime chooses. At most 1024.</summary>
    public int ThreadCount;

    /// <summary>How a MusicGen generates; null for defaults. Its seed and batch size are those below.</summary>
    public MusicGenerationOptions? Music;

    /// <summary>How a VITS speaks; null for defaults. Its seed is the one below; speaking rate and noise are part of the file.</summary>
    public SpeechOptions? Speech;

    /// <summary>Decides with the id of a row what is drawn for it; null for the seed of the <c>MLContext</c>.</summary>
    public long? Seed;

    /// <summary>Sounds that are made together. It changes speed and memory.</summary>
    public int GenerationBatchSize = 4;

    internal OnnxRuntimeOptions ToRuntimeOptions() => new() { ModelFile = ModelFile, ThreadCount = ThreadCount };

    /// <exception cref="ArgumentException">An option is not usable; the message names it.</exception>
    internal void Check()
    {
        ToRuntimeOptions().Check();
        Music?.Check();
        Speech?.Check();
        if ((Music?.Seed ?? Speech?.Seed) is { } seed)
        {
            var option = Music?.Seed is not null ? nameof(Music) : nameof(Speech);
            throw new ArgumentException($"{option}.Seed is {seed}, but the own option {nameof(Seed)} decides: set that one.", option);
        }

        OptionCheck.AtLeast(nameof(GenerationBatchSize), GenerationBatchSize, 1);
        OptionCheck.AtMost(nameof(GenerationBatchSize), GenerationBatchSize, 4096, "the largest batch");
    }
}
