using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.MusicGen;

namespace MLTransfer.Torch.Generation.Music;

/// <summary>Reads a MusicGen's <c>generation_config.json</c>.</summary>
internal static class MusicConfigurationFile
{
    private const string GuidanceScale = "guidance_scale";

    public static MusicGenerationOptions Read(string folder)
    {
        var path = Path.Combine(folder, GenerationConfigurationFile.FileName);
        var options = new MusicGenerationOptions();
        if (!FileOnDisk.Exists(path))
            return options;
        var read = GenerationConfigurationFile.Read(folder, supported: GuidanceScale);
        var entries = new ConfigurationReader(JsonContent.ParseObject(FileKind.Configuration.Read(path), path), path);
        entries.Require("num_beams", 1);
        entries.Require("num_return_sequences", 1);
        entries.Refuse("min_new_tokens", "music has no end of its own");
        entries.Refuse("stop_strings", "music has no texts");
        options = options with
        {
            GuidanceScale = entries.Number(GuidanceScale, options.GuidanceScale),
            Sample = read.Sample,
            Temperature = read.Temperature,
            TopK = entries.Has("top_k") ? read.TopK : options.TopK,
            TopP = read.TopP,
            MinP = read.MinP,
            TypicalP = read.TypicalP,
            RepetitionPenalty = read.RepetitionPenalty,
            NoRepeatNgramSize = read.NoRepeatNgramSize,
            MaximumFrames = entries.Has("max_new_tokens") || entries.Has("max_length") ? Frames(folder, read.MaximumNewTokens) : null,
        };
        try
        {
            options.Check();
        }
        catch (ArgumentException exception)
        {
            throw new InvalidDataException($"{path}: {exception.Message}", exception);
        }

        return options;
    }

    /// <summary>The columns behind the start column, less those that the last codebook is behind the first.</summary>
    private static int Frames(string folder, int newColumns)
    {
        var decoder = ModelConfigurationFile.Read(folder)[MusicGenConfiguration.DecoderName]?.AsObject() ?? [];
        var entries = new ConfigurationReader(decoder, Path.Combine(folder, ModelConfigurationFile.FileName));
        return newColumns + 1 - entries.Layers("num_codebooks", 4) / entries.Size("audio_channels", 1);
    }
}
