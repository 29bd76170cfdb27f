using System.Text;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints.BitsAndBytes;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tests.Networks.Transformers;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Checkpoints.BitsAndBytes;

/// <summary>Folders of models that bitsandbytes has packed in 4 bits.</summary>
public sealed class BitsAndBytesFolderTests : IDisposable
{
    private const string Layer = "model.layers.0.mlp.down_proj.weight";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("bfloat16")]
    [InlineData("float32")]
    public void A_packed_folder_is_loaded_as_the_values_that_it_stands_for(string type)
    {
        var values = Write(new JsonObject(), new JsonObject { ["dtype"] = type });
        using var network = TransformerNetwork.Load(_folder.Path);
        using var scope = NewDisposeScope();
        var expected = tensor(values).to(type == "float32" ? ScalarType.Float32 : ScalarType.BFloat16).to(ScalarType.Float32);
        Assert.True(network.get_parameter(Layer)!.view(-1).equal(expected).all().item<bool>());
        Assert.False(network.Configuration.ContainsKey("quantization_config"));
        using var original = FamilyFolders.Load("llama-tiny");
        Assert.True(network.get_parameter("lm_head.weight")!.equal(original.get_parameter("lm_head.weight")!).all().item<bool>());
    }

    [Theory]
    [InlineData("load_in_8bit", "true")]
    [InlineData("load_in_4bit", "false")]
    [InlineData("bnb_4bit_quant_type", "\"int4\"")]
    [InlineData("bnb_4bit_quant_storage", "\"bfloat16\"")]
    [InlineData("bnb_5bit", "true")]
    public void What_is_packed_otherwise_is_refused_by_name(string key, string value)
    {
        Write(new JsonObject { [key] = JsonNode.Parse(value) }, []);
        Assert.Contains(
            key, Assert.Throws<NotSupportedException>(() => TransformerNetwork.Load(_folder.Path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("quant_type", "\"nf3\"", "quant_type")]
    [InlineData("dtype", "\"int8\"", "dtype")]
    [InlineData("compressed", "true", "compressed")]
    [InlineData("blocksize", "63", "blocksize")]
    [InlineData("blocksize", "128", "absmax")]
    [InlineData("shape", "[2, 2]", Layer)]
    [InlineData("nested_blocksize", "256", "absmax")]
    public void A_matrix_whose_parts_do_not_fit_is_refused_by_name(string key, string value, string named)
    {
        Write([], new JsonObject { [key] = JsonNode.Parse(value) });
        Assert.Contains(
            named, Assert.ThrowsAny<Exception>(() => TransformerNetwork.Load(_folder.Path)).Message, StringComparison.Ordinal);
    }

    /// <summary>Writes llama-tiny with one packed matrix.</summary>
    /// <returns>What it stands for.</returns>
    private float[] Write(JsonObject entry, JsonObject state)
    {
        using var scope = NewDisposeScope();
        var configuration = FamilyFolders.Configuration("llama-tiny");
        var packing = new JsonObject
        {
            ["quant_method"] = "bitsandbytes", ["load_in_4bit"] = true, ["load_in_8bit"] = false, ["bnb_4bit_quant_type"] = "nf4",
            ["bnb_4bit_use_double_quant"] = false, ["bnb_4bit_compute_dtype"] = "bfloat16", ["bnb_4bit_quant_storage"] = "uint8",
            ["llm_int8_threshold"] = 6.0, ["llm_int8_enable_fp32_cpu_offload"] = false,
        };
        foreach (var (key, value) in entry)
            packing[key] = value?.DeepClone();
        configuration["quantization_config"] = packing;
        File.WriteAllText(_folder["config.json"], configuration.ToJsonString());

        using var original = FamilyFolders.Open("llama-tiny");
        var tensors = original.Tensors.Keys.ToDictionary(name => name, original.Read);
        var weights = tensors[Layer].to(ScalarType.Float32).contiguous().data<float>().ToArray();
        var blocks = weights.Length / NormalFloat4.Length;
        var (codes, scales, values) = (new byte[weights.Length / 2], new float[blocks], new float[weights.Length]);
        for (var block = 0; block < blocks; block++)
        {
            var start = block * NormalFloat4.Length;
            scales[block] = NormalFloat4.Encode(weights.AsSpan(start, NormalFloat4.Length), codes.AsSpan(start / 2));
            NormalFloat4.Decode(NormalFloat4.Values, codes, start, scales[block], values.AsSpan(start, NormalFloat4.Length));
        }

        var told = new JsonObject
        {
            ["quant_type"] = "nf4", ["blocksize"] = 64, ["dtype"] = "float32",
            ["shape"] = new JsonArray([.. tensors[Layer].shape.Select(extent => (JsonNode)extent)]),
        };
        foreach (var (key, value) in state)
            told[key] = value?.DeepClone();
        tensors[Layer] = tensor(codes).view(-1, 1);
        tensors[Layer + ".absmax"] = tensor(scales);
        tensors[Layer + ".quant_map"] = tensor(NormalFloat4.Values.ToArray());
        tensors[Layer + ".quant_state.bitsandbytes__nf4"] = tensor(Encoding.UTF8.GetBytes(told.ToJsonString()));
        SafetensorsWriter.Write(_folder["model.safetensors"], tensors);
        return values;
    }
}
