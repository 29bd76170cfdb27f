using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks.MusicGen;
using Xunit;

namespace MLTransfer.Torch.Tests.Networks.MusicGen;

/// <summary>What a <c>config.json</c> may say.</summary>
public sealed class MusicGenConfigurationTests : IDisposable
{
    private readonly SafetensorsFile _weights =
        SafetensorsFile.Open(Path.Combine(TinyMusic.FolderOf(TinyMusic.Mono), "model.safetensors"));

    public void Dispose() => _weights.Dispose();

    /// <summary>The entries that older versions of transformers wrote into every part.</summary>
    [Fact]
    public void Entries_of_older_files_change_nothing()
    {
        var json = Configuration();
        foreach (var part in (string[])["text_encoder", "decoder", "audio_encoder"])
        {
            foreach (var (key, value) in JsonNode.Parse("""
                {
                  "_name_or_path": "part", "add_cross_attention": false, "bad_words_ids": null, "chunk_size_feed_forward": 0,
                  "cross_attention_hidden_size": null, "diversity_penalty": 0.0, "do_sample": false, "early_stopping": false,
                  "encoder_no_repeat_ngram_size": 0, "finetuning_task": null, "forced_eos_token_id": null,
                  "id2label": {"0": "LABEL_0"}, "is_decoder": false, "label2id": {"LABEL_0": 0}, "length_penalty": 1.0,
                  "max_length": 20, "num_beam_groups": 1, "num_beams": 1, "output_attentions": false, "pruned_heads": {},
                  "remove_invalid_values": false, "repetition_penalty": 1.0, "return_dict": true, "temperature": 1.0,
                  "tf_legacy_loss": false, "tie_encoder_decoder": false, "tokenizer_class": null, "top_k": 50, "top_p": 1.0,
                  "torch_dtype": null, "torchscript": false, "typical_p": 1.0, "use_bfloat16": false
                }
                """)!.AsObject())
                json[part]![key] = value?.DeepClone();
        }

        json["text_encoder"]!["architectures"] = new JsonArray("T5ForConditionalGeneration");
        json["text_encoder"]!["n_positions"] = 512;
        json["text_encoder"]!["output_past"] = true;
        json["text_encoder"]!["task_specific_params"] = new JsonObject { ["summarization"] = new JsonObject { ["max_length"] = 200 } };
        json["text_encoder"]!["decoder_start_token_id"] = 0;
        json["text_encoder"]!["eos_token_id"] = 1;
        json["decoder"]!["tie_word_embeddings"] = false;
        json["decoder"]!["architectures"] = null;
        json["decoder"]!["scale_embedding"] = true;
        using var model = MusicGenModel.Load(json, _weights, "config");
        using var music = new TinyMusic(TinyMusic.Mono);
        Assert.Equal(music.Model.ComputeFingerprint(), model.ComputeFingerprint());
        Assert.Equal((64, 64), (model.StartId, model.Pattern.PaddingId));
    }

    [Theory]
    [InlineData("decoder", "layerdrop", "0.1", "layerdrop")]
    [InlineData("decoder", "cross_attention_hidden_size", "24", "cross_attention_hidden_size")]
    [InlineData("decoder", "audio_channels", "3", "audio_channels")]
    [InlineData("decoder", "num_codebooks", "8", "embed_tokens.4")]
    [InlineData("decoder", "vocab_size", "32", "bos_token_id")]
    [InlineData("decoder", "pad_token_id", "65", "pad_token_id")]
    [InlineData("decoder", "position_scheme", "\"learned\"", "position_scheme")]
    [InlineData("text_encoder", "model_type", "\"speech\"", "speech")]
    [InlineData("audio_encoder", "codebook_size", "32", "codebook")]
    [InlineData(null, "guidance_network", "\"extra\"", "guidance_network")]
    [InlineData(null, "architectures", "[\"MusicgenMelodyForConditionalGeneration\"]", "MusicgenMelody")]
    public void What_is_not_computed_is_refused_by_name(string? part, string key, string value, string named)
    {
        var json = Configuration();
        (part is null ? json : json[part]!.AsObject())[key] = JsonNode.Parse(value);
        var error = Assert.ThrowsAny<Exception>(() => MusicGenModel.Load(json, _weights, "config").Dispose());
        Assert.True(error is NotSupportedException or InvalidDataException, error.ToString());
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text_encoder")]
    [InlineData("decoder")]
    [InlineData("audio_encoder")]
    public void A_missing_part_is_named(string part)
    {
        var json = Configuration();
        json.Remove(part);
        var error = Assert.Throws<InvalidDataException>(() => MusicGenModel.Load(json, _weights, "config"));
        Assert.Contains(part, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_start_token_other_than_padding_is_what_codebooks_begin_with()
    {
        var json = Configuration();
        json["decoder_start_token_id"] = 63;
        using var model = MusicGenModel.Load(json, _weights, "config");
        Assert.Equal((63, 64), (model.StartId, model.Pattern.PaddingId));
        var batch = Torch.Training.Audio.MusicTrainingBatch.Create(
            model, [new Torch.Training.Audio.MusicTrainingRow(null, model.Pattern.Delay([[1], [2], [3], [4]]))]);
        Assert.Equal([63, 1, 64, 64], batch.Inputs[0][0].data<long>().ToArray());
        Assert.Equal([63, 64, 64, 64], batch.Inputs[0][3].data<long>().ToArray());
    }

    private static JsonObject Configuration() =>
        JsonNode.Parse(File.ReadAllText(Path.Combine(TinyMusic.FolderOf(TinyMusic.Mono), "config.json")))!.AsObject();
}
