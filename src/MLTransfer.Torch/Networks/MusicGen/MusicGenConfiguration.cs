using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Networks.Transformers.Description;

namespace MLTransfer.Torch.Networks.MusicGen;

/// <summary>What a <c>config.json</c> of <c>model_type</c> <c>musicgen</c> says: three networks, and what binds them.</summary>
/// <param name="TextEncoder">The encoder of captions.</param>
/// <param name="Decoder">The decoder of codes.</param>
/// <param name="AudioEncoder">The codec.</param>
/// <param name="Channels">1 for mono, 2 for stereo.</param>
/// <param name="StartId">What every codebook begins with.</param>
/// <param name="PaddingId">Where a codebook has no code.</param>
internal sealed record MusicGenConfiguration(
    JsonObject TextEncoder, JsonObject Decoder, JsonObject AudioEncoder, int Channels, int StartId, int PaddingId)
{
    public const string ModelType = "musicgen";

    public const string TextEncoderName = "text_encoder";

    public const string DecoderName = "decoder";

    public const string AudioEncoderName = "audio_encoder";

    public const string ProjectionName = "enc_to_dec_proj";

    /// <exception cref="InvalidDataException">An entry is missing or malformed.</exception>
    /// <exception cref="NotSupportedException">An entry asks for what is not supported; the message names it.</exception>
    public static MusicGenConfiguration Parse(JsonObject json, string origin)
    {
        var entries = new ConfigurationReader(json, origin);
        if (entries.Texts("architectures") is { } classes && !classes.Contains("MusicgenForConditionalGeneration"))
            throw entries.Unsupported("architectures", "supported is MusicgenForConditionalGeneration");
        var (text, decoder, audio) = (Part(TextEncoderName), Part(DecoderName), Part(AudioEncoderName));
        entries.RefuseUnread(key => CommonEntries.Contains(key) || key is "initializer_factor" or "sampling_rate");
        if (text["model_type"]?.ToString() == "t5")
            text["architectures"] = new JsonArray("T5EncoderModel"); // files name the class that it was taken from

        var reader = new ConfigurationReader(decoder, $"{origin}: {DecoderName}");
        reader.Refuse("cross_attention_hidden_size", "the text encoder's states are projected to the decoder's width");
        var vocabulary = reader.Size("vocab_size", 2048);
        var (codebooks, channels) = (reader.Layers("num_codebooks", 4), reader.Size("audio_channels", 1));
        if (channels > 2 || codebooks % channels != 0)
            throw reader.Invalid($"audio_channels is {channels} and num_codebooks {codebooks}; expected 1 channel, or 2 that share them");
        var start = entries.Has("decoder_start_token_id") ? Id(entries, "decoder_start_token_id")
            : reader.Has("decoder_start_token_id") ? Id(reader, "decoder_start_token_id") : Id(reader, "bos_token_id");
        return new(text, decoder, audio, channels, start, Id(reader, "pad_token_id"));

        JsonObject Part(string name) =>
            entries.Object(name) is null ? throw entries.Missing(name) : json[name]!.DeepClone().AsObject();

        int Id(ConfigurationReader at, string name)
        {
            var id = at.Count(name, vocabulary);
            return id <= vocabulary ? id : throw at.Invalid($"{name} is {id}; the decoder's tables have {vocabulary + 1} rows");
        }
    }
}
