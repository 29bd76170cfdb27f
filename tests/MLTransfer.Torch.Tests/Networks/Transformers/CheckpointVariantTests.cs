using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Networks.Transformers.Families;
using MLTransfer.Torch.Tests.Checkpoints;
using MLTransfer.Torch.Tests.Contract;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.Transformers;

/// <summary>Checkpoints as the hub has them: other names, other files, more than the network takes. All give the same logits.</summary>
public sealed class CheckpointVariantTests : IDisposable
{
    /// <summary>
    /// What files of a family have beside its parameters: buffers of masks and positions, copies of tied tables, heads of other tasks.
    /// </summary>
    private static readonly Dictionary<string, string[]> s_extra = new()
    {
        ["gpt2"] = ["transformer.h.0.attn.bias", "transformer.h.0.attn.masked_bias", "lm_head.weight"],
        ["gpt_neo"] = ["transformer.h.0.attn.attention.bias", "transformer.h.1.attn.attention.masked_bias", "lm_head.weight"],
        ["gpt_neox"] =
        [
            "gpt_neox.layers.0.attention.bias", "gpt_neox.layers.0.attention.masked_bias",
            "gpt_neox.layers.0.attention.rotary_emb.inv_freq", "gpt_neox.rotary_emb.inv_freq",
        ],
        ["gptj"] = ["transformer.h.0.attn.bias", "transformer.h.0.attn.masked_bias", "transformer.h.0.attn.embed_positions"],
        ["opt"] = ["model.decoder.version", "lm_head.weight"],
        ["llama"] = ["model.layers.0.self_attn.rotary_emb.inv_freq", "model.rotary_emb.inv_freq"],
        ["mistral"] = ["model.layers.0.self_attn.rotary_emb.inv_freq", "model.rotary_emb.inv_freq"],
        ["qwen2"] = ["model.layers.0.self_attn.rotary_emb.inv_freq", "lm_head.weight"],
        ["qwen3"] = ["model.rotary_emb.inv_freq", "lm_head.weight"],
        ["gemma2"] = ["model.layers.0.self_attn.rotary_emb.inv_freq", "lm_head.weight"],
        ["gemma3_text"] = ["model.rotary_emb.inv_freq", "model.rotary_emb_local.inv_freq", "lm_head.weight"],
        ["phi3"] = ["model.layers.0.self_attn.rotary_emb.inv_freq"],
        ["smollm3"] = ["model.rotary_emb.inv_freq", "lm_head.weight"],
        ["bert"] =
        [
            "bert.embeddings.position_ids", "bert.pooler.dense.weight", "bert.pooler.dense.bias", "cls.seq_relationship.weight",
            "cls.seq_relationship.bias", "cls.predictions.decoder.weight", "cls.predictions.decoder.bias",
        ],
        ["roberta"] =
        [
            "roberta.embeddings.position_ids", "roberta.embeddings.token_type_ids", "roberta.pooler.dense.weight",
            "roberta.pooler.dense.bias", "lm_head.decoder.weight", "lm_head.decoder.bias",
        ],
        ["distilbert"] = ["distilbert.embeddings.position_ids", "vocab_projector.weight"],
        ["t5"] =
        [
            "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight", "encoder.embed_tokens.weight",
            "decoder.embed_tokens.weight",
        ],
        ["bart"] =
        [
            "model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight", "lm_head.weight", "model.encoder.version",
            "model.decoder.version",
        ],
        ["musicgen_decoder"] = ["model.decoder.embed_positions.weights"],
    };

    private readonly TemporaryFolder _folder = new();

    public static IEnumerable<TheoryDataRow<string>> Folders => FamilyFolders.All;

    public static IEnumerable<TheoryDataRow<string>> Families =>
        FamilyRegistry.All.Select(family => new TheoryDataRow<string>(FamilyFolders.FirstOf(family.ModelType)));

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Folders))]
    public void Buffers_copies_and_other_heads_are_left_alone_under_old_and_new_prefixes(string folder)
    {
        using var scope = NewDisposeScope();
        var configuration = FamilyFolders.Configuration(folder);
        var family = FamilyRegistry.Of(configuration, folder);
        var tensors = Tensors(folder);
        var extra = s_extra.GetValueOrDefault(family.ModelType, []).Where(name => !tensors.ContainsKey(name))
            .ToDictionary(name => name, _ => ones(1, 1, 4, 4));

        AssertSame(folder, tensors.Concat(extra));
        AssertSame(folder, tensors.Concat(extra).Select(tensor => KeyValuePair.Create(WithoutPrefix(tensor.Key), tensor.Value)));

        string WithoutPrefix(string name) =>
            name.StartsWith(family.BasePrefix, StringComparison.Ordinal) ? name[family.BasePrefix.Length..] : name;
    }

    [Theory]
    [InlineData("bert-tiny")]
    [InlineData("bert-lm-tiny")]
    [InlineData("roberta-tiny")]
    public void Norms_may_have_gamma_and_beta(string folder)
    {
        using var scope = NewDisposeScope();
        var tensors = Tensors(folder).ToDictionary(
            tensor => tensor.Key.Replace("LayerNorm.weight", "LayerNorm.gamma", StringComparison.Ordinal)
                .Replace("LayerNorm.bias", "LayerNorm.beta", StringComparison.Ordinal),
            tensor => tensor.Value);
        Assert.Contains(tensors.Keys, name => name.EndsWith("embeddings.LayerNorm.gamma", StringComparison.Ordinal));
        AssertSame(folder, tensors);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void A_tensor_that_the_network_does_not_take_is_refused_by_name(string folder)
    {
        using var scope = NewDisposeScope();
        var tensors = Tensors(folder);
        var name = tensors.Keys.First(name => name.EndsWith(".weight", StringComparison.Ordinal));
        using var checkpoint = new TensorCheckpoint("the file", tensors.Append(KeyValuePair.Create(name + "_scale_inv", ones(1))));
        var error = Assert.Throws<InvalidDataException>(
            () => TransformerNetwork.Load(FamilyFolders.Configuration(folder), checkpoint, "the file"));
        Assert.Contains($"the file has 1 tensors that the network of its config.json does not take: '{name}_scale_inv'",
            error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Shards_and_pickles_hold_the_same(string folder)
    {
        using var scope = NewDisposeScope();
        if (folder == "min-dalle-tiny")
            return; // has two files
        var (sharded, pickled) = (_folder["sharded"], _folder["pickled"]);
        foreach (var path in (string[])[sharded, pickled])
        {
            Directory.CreateDirectory(path);
            File.Copy(Path.Combine(FamilyFolders.PathOf(folder), "config.json"), Path.Combine(path, "config.json"));
        }

        var tensors = Tensors(folder);
        CheckpointWriter.Write(sharded, tensors, maximumShardBytes: 20_000);
        Assert.True(File.Exists(Path.Combine(sharded, "model.safetensors.index.json")));
        File.WriteAllBytes(Path.Combine(pickled, "pytorch_model.bin"), Pickled(tensors));
        foreach (var path in (string[])[sharded, pickled])
        {
            using var network = TransformerNetwork.Load(path);
            AssertSame(folder, network);
        }
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Half_precision_is_read_as_the_numbers_that_it_holds(string folder)
    {
        using var scope = NewDisposeScope();
        foreach (var type in (ScalarType[])[ScalarType.Float16, ScalarType.BFloat16])
        {
            var stored = Tensors(folder).ToDictionary(tensor => tensor.Key, tensor => tensor.Value.to(type));
            using var expected = Load(folder, stored.ToDictionary(tensor => tensor.Key, tensor => tensor.Value.to(ScalarType.Float32)));
            using var network = Load(folder, stored);
            Assert.Equal(ScalarType.Float32, network.DataType);
            Assert.Equal(expected.ComputeFingerprint(), network.ComputeFingerprint());
            Assert.Equal(0, (Compute(expected) - Compute(network)).abs().max().item<float>());
        }
    }

    [Theory]
    [InlineData("t5-tiny", "T5EncoderModel", typeof(MaskedLanguageModel))] // its decoder is left alone
    [InlineData("t5-tiny", "T5Model", typeof(EncoderDecoderModel))]
    [InlineData("bert-tiny", "BertForPreTraining", typeof(MaskedLanguageModel))]
    [InlineData("bert-lm-tiny", "BertLMHeadModel", typeof(CausalLanguageModel))]
    [InlineData("llama-tiny", "LlamaModel", typeof(CausalLanguageModel))]
    public void Model_type_and_architectures_tell_the_kind_of_network(string folder, string architecture, Type kind)
    {
        using var scope = NewDisposeScope();
        using var network = Load(folder, Tensors(folder), configuration => configuration["architectures"] = new JsonArray(architecture));
        Assert.IsType(kind, network);
    }

    [Theory]
    [InlineData("bert-tiny", "BertForSequenceClassification")]
    [InlineData("llama-tiny", "LlamaForTokenClassification")]
    [InlineData("t5-tiny", "T5ForQuestionAnswering")]
    public void Classes_with_other_heads_are_refused_by_name(string folder, string architecture)
    {
        using var scope = NewDisposeScope();
        var error = Assert.Throws<NotSupportedException>(
            () => Load(folder, Tensors(folder), configuration => configuration["architectures"] = new JsonArray(architecture)));
        Assert.Contains(architecture, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_head_that_config_json_asks_for_and_the_checkpoint_lacks_is_missing()
    {
        using var scope = NewDisposeScope();
        var tensors = Tensors("llama-tiny");
        Assert.True(tensors.Remove("lm_head.weight"));
        var error = Assert.Throws<InvalidDataException>(() => Load("llama-tiny", tensors)); // tie_word_embeddings is false
        Assert.Contains("no tensor 'lm_head.weight'", error.Message, StringComparison.Ordinal);
        using var tied = Load("llama-tiny", tensors, configuration => configuration.Remove("tie_word_embeddings"));
        Assert.Same(tied.TokenEmbedding, tied.OutputHead);
    }

    private static Dictionary<string, Tensor> Tensors(string folder)
    {
        using var checkpoint = FamilyFolders.Open(folder);
        return checkpoint.Tensors.Keys.ToDictionary(name => name, checkpoint.Read);
    }

    private static TransformerNetwork Load(
        string folder, IEnumerable<KeyValuePair<string, Tensor>> tensors, Action<JsonObject>? change = null)
    {
        var configuration = FamilyFolders.Configuration(folder);
        change?.Invoke(configuration);
        using var checkpoint = new TensorCheckpoint("the file", tensors);
        return TransformerNetwork.Load(configuration, checkpoint, "the file");
    }

    private static void AssertSame(string folder, IEnumerable<KeyValuePair<string, Tensor>> tensors)
    {
        using var network = Load(folder, tensors);
        AssertSame(folder, network);
    }

    private static void AssertSame(string folder, TransformerNetwork network)
    {
        using var expected = FamilyFolders.Load(folder);
        Assert.Equal(expected.ComputeFingerprint(), network.ComputeFingerprint());
        Assert.Equal(0, (Compute(expected) - Compute(network)).abs().max().item<float>());
    }

    private static Tensor Compute(TransformerNetwork network)
    {
        using var gradients = no_grad();
        using var texts = new RandomTexts(network, rows: 2, 12);
        return network.Output.Heads.Any() ? texts.Logits(network, 0, 12, cache: null) : texts.Hidden(network);
    }

    /// <summary>What <c>torch.save</c> writes: a dictionary of tensors, each over a storage of its own.</summary>
    private static byte[] Pickled(Dictionary<string, Tensor> tensors)
    {
        var pickle = new PickleBytes().Protocol().Op('}');
        var storages = new List<(string, byte[])>();
        foreach (var (name, tensor) in tensors)
        {
            var (key, values) = ($"{storages.Count}", NativeTensor.AsSpan<float>(tensor.contiguous()).ToArray());
            long[] strides = tensor.contiguous().stride();
            pickle.Text(name).Tensor("FloatStorage", key, values.Length, 0, tensor.shape, strides).Op('s');
            storages.Add(($"archive/data/{key}", MemoryMarshal.AsBytes<float>(values).ToArray()));
        }

        return PyTorchZip.Stored([("archive/data.pkl", pickle.Op('.').ToArray()), ("archive/version", "3\n"u8.ToArray()), .. storages]);
    }
}
