using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Networks.DalleMini;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.DalleMini;

/// <summary>The files that a DALL-E mini is read from and written to.</summary>
public class DalleMiniFilesTests
{
    [Fact]
    public void A_pickled_part_is_read_as_its_twin_and_what_is_saved_is_the_same()
    {
        using var expected = TinyDalleMini.Load();
        using var mixed = TinyDalleMini.Copy(
            "config.json", "vqgan_config.json", "encoder.pt", "decoder.safetensors", "detoker.safetensors");
        using var model = Assert.IsType<DalleMiniModel>(GenerativeNetwork.Load(mixed.Path));
        Assert.Equal(expected.ComputeFingerprint(), model.ComputeFingerprint());

        using var folder = new TemporaryFolder();
        model.Save(folder.Path);
        using var loaded = Assert.IsType<DalleMiniModel>(GenerativeNetwork.Load(folder.Path));
        Assert.Equal(expected.ComputeFingerprint(), loaded.ComputeFingerprint());
        using var weights = loaded.OpenWeights(folder.Path);
        Assert.Equal(loaded.CheckpointTensors().Select(t => t.Key).Order(), weights.Tensors.Keys.Order());

        using var half = new TemporaryFolder();
        model.Save(half.Path, ScalarType.BFloat16);
        using var narrow = DalleMiniModel.Load(half.Path, ScalarType.BFloat16);
        Assert.Equal(ScalarType.BFloat16, narrow.DataType);
        Assert.InRange(new FileInfo(half["decoder.safetensors"]).Length, 1, new FileInfo(folder["decoder.safetensors"]).Length * 3 / 5);
    }

    /// <summary>Published conversions are state dictionaries alone.</summary>
    [Theory]
    [InlineData(false, 40, 40)]
    [InlineData(true, 48, 72)] // as mega: more image tokens than codewords, and all norms with weights
    public void Sizes_come_from_the_tensors_where_no_file_tells_them(bool hasAllWeights, int feed, int imageVocabulary)
    {
        var configuration = TinyDalleMini.Json("config.json").AsObject();
        foreach (var side in (string[])["encoder", "decoder"])
            (configuration[side + "_attention_heads"], configuration[side + "_ffn_dim"]) = (2, feed);
        (configuration["d_model"], configuration["force_ln_scale"], configuration["use_final_ln_encoder"]) = (128, hasAllWeights, false);
        configuration["image_vocab_size"] = Math.Max(48, imageVocabulary);
        var codec = TinyDalleMini.Json("vqgan_config.json").AsObject();
        codec["ch_mult"] = new JsonArray(1, 2, 3);
        codec["resolution"] = 16;
        codec["attn_resolutions"] = new JsonArray(16, 4);
        using var model = DalleMiniModel.Create(configuration, codec, seed: 6);
        using var folder = new TemporaryFolder();
        model.Save(folder.Path);
        File.Delete(folder["config.json"]);
        File.Delete(folder["vqgan_config.json"]);
        using var loaded = Assert.IsType<DalleMiniModel>(GenerativeNetwork.Load(folder.Path));
        Assert.Equal(model.ComputeFingerprint(), loaded.ComputeFingerprint());
        Assert.Equal((48, 48, 4), (loaded.StartId, loaded.CodebookSize, loaded.CodesPerSide));

        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var (text, codes) = (tensor(model.PadCaption([0, 51, 101, 2]).Select(id => (long)id).ToArray(), [1, 16]),
            randint(0, 48, [1, 16], generator: new Generator(8), dtype: ScalarType.Int64));
        Assert.Equal(0, TinyDalleMini.Distance(model.Forward(text, codes), loaded.Forward(text, codes)));
        Assert.Equal(0, TinyDalleMini.Distance(model.Codec.Decode(codes), loaded.Codec.Decode(codes)));
    }

    [Fact]
    public void Entries_of_published_files_change_nothing()
    {
        using var folder = TinyDalleMini.Copy("vqgan_config.json", "encoder.safetensors", "decoder.safetensors", "detoker.safetensors");
        var json = TinyDalleMini.Json("config.json").AsObject();
        json["architectures"] = new JsonArray("eBart");
        (json["use_scan"], json["num_hidden_layers"], json["encoder_layerdrop"], json["length_penalty"]) = (true, 2, 0.0, 1.0);
        json.Remove("force_ln_scale"); // the tensors tell
        json.Remove("decoder_start_token_id");
        json.Remove("bos_token_id");
        File.WriteAllText(folder["config.json"], json.ToJsonString());
        using var expected = TinyDalleMini.Load();
        using var model = DalleMiniModel.Load(folder.Path);
        Assert.Equal(expected.ComputeFingerprint(), model.ComputeFingerprint());
        Assert.Equal(48, model.StartId);
    }

    [Fact]
    public async Task A_folder_without_a_configuration_is_a_pretrained_model()
    {
        var cancellation = TestContext.Current.CancellationToken;
        using var bare = TinyDalleMini.Copy("encoder.pt", "decoder.safetensors", "detoker.safetensors");
        Assert.Equal(bare.Path, await PretrainedModel.ResolveAsync(bare.Path, cancellationToken: cancellation));
        using var taming = new TemporaryFolder();
        File.Copy(RepositoryFiles.Data("images/vqgan-tiny/model.yaml"), taming["model.yaml"]);
        Assert.Equal(taming.Path, await PretrainedModel.ResolveAsync(taming.Path, cancellationToken: cancellation));
    }

    [Fact]
    public void Heads_that_no_shape_tells_are_asked_for()
    {
        using var folder = TinyDalleMini.Copy("vqgan_config.json", "encoder.pt", "decoder.safetensors", "detoker.safetensors");
        Assert.Contains("config.json", Assert.Throws<InvalidDataException>(
            () => GenerativeNetwork.Load(folder.Path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("config.json", "use_head_scale", "true", typeof(NotSupportedException))]
    [InlineData("config.json", "use_cosine_attention", "true", typeof(NotSupportedException))]
    [InlineData("config.json", "use_swin_position_embeddings", "true", typeof(NotSupportedException))]
    [InlineData("config.json", "use_deepnet_scaling", "true", typeof(NotSupportedException))]
    [InlineData("config.json", "use_subln_init", "true", typeof(NotSupportedException))]
    [InlineData("config.json", "use_alibi", "true", typeof(NotSupportedException))]
    [InlineData("config.json", "ln_positions", "\"postln\"", typeof(NotSupportedException))]
    [InlineData("config.json", "ln_type", "\"rmsnorm\"", typeof(NotSupportedException))]
    [InlineData("config.json", "model_type", "\"bart\"", typeof(NotSupportedException))]
    [InlineData("config.json", "decoder_start_token_id", "49", typeof(InvalidDataException))]
    [InlineData("config.json", "image_length", "15", typeof(InvalidDataException))]
    [InlineData("config.json", "force_ln_scale", "true", typeof(InvalidDataException))]
    [InlineData("vqgan_config.json", "n_embed", "47", typeof(InvalidDataException))]
    [InlineData("vqgan_config.json", "double_z", "true", typeof(NotSupportedException))]
    public void An_entry_that_does_not_fit_is_refused_by_name(string file, string key, string value, Type expected)
    {
        using var folder = TinyDalleMini.Copy(
            "config.json", "vqgan_config.json", "encoder.safetensors", "decoder.safetensors", "detoker.safetensors");
        var json = TinyDalleMini.Json(file).AsObject();
        json[key] = JsonNode.Parse(value);
        File.WriteAllText(folder[file], json.ToJsonString());
        var error = Assert.Throws(expected, () => GenerativeNetwork.Load(folder.Path));
        var named = key == "n_embed" ? "embedding.weight" : key == "force_ln_scale" ? "layer_norm.weight"
            : key == "image_length" ? "embed_positions" : key;
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_codec_of_other_pictures_than_the_decoder_writes_is_refused()
    {
        var codec = TinyDalleMini.Json("vqgan_config.json").AsObject();
        codec["resolution"] = 16;
        Assert.Contains("image_length", Assert.Throws<InvalidDataException>(
            () => DalleMiniModel.Create(TinyDalleMini.Json("config.json").AsObject(), codec, seed: 1)).Message, StringComparison.Ordinal);
        (codec["resolution"], codec["n_embed"]) = (8, 50);
        Assert.Contains("n_embed", Assert.Throws<InvalidDataException>(
            () => DalleMiniModel.Create(TinyDalleMini.Json("config.json").AsObject(), codec, seed: 1)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("encoder.safetensors")]
    [InlineData("encoder.pt")]
    [InlineData("detoker.safetensors")]
    public void A_truncated_or_wrong_file_is_refused_by_its_name(string name)
    {
        string[] others = [.. new[] { "encoder.safetensors", "decoder.safetensors", "detoker.safetensors" }
            .Where(file => Path.GetFileNameWithoutExtension(file) != Path.GetFileNameWithoutExtension(name))];
        using var folder = TinyDalleMini.Copy(["config.json", "vqgan_config.json", .. others]);
        var content = File.ReadAllBytes(Path.Combine(TinyDalleMini.Folder, name));
        foreach (var length in (int[])[0, 9, content.Length / 2, content.Length - 1])
        {
            File.WriteAllBytes(folder[name], content[..length]);
            Assert.Contains(name, Assert.Throws<InvalidDataException>(
                () => GenerativeNetwork.Load(folder.Path)).Message, StringComparison.Ordinal);
        }

        File.Delete(folder[name]);
        Assert.Contains(Path.GetFileNameWithoutExtension(name), Assert.Throws<FileNotFoundException>(
            () => DalleMiniModel.Load(folder.Path)).Message, StringComparison.Ordinal);
        File.Copy(Path.Combine(TinyDalleMini.Folder, "decoder.safetensors"), folder[Path.ChangeExtension(name, ".safetensors")]);
        Assert.Throws<InvalidDataException>(() => GenerativeNetwork.Load(folder.Path)); // tensors of another part
    }
}
