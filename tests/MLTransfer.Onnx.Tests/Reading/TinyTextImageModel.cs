using Google.Protobuf;
using MLTransfer.Onnx.Schema;

namespace MLTransfer.Onnx.Tests.Reading;

/// <summary>
/// An image-text model whose embeddings can be told by hand: of a picture the mean of each channel, of a text the sum of its words'
/// colours.
/// </summary>
internal static class TinyTextImageModel
{
    public const int Side = 8;

    public const string Preprocessor = """
        {
          "image_processor_type": "CLIPImageProcessor", "do_resize": true, "size": {"shortest_edge": 8}, "resample": 3,
          "do_center_crop": true, "crop_size": {"height": 8, "width": 8}, "do_rescale": true, "rescale_factor": 0.00392156862745098,
          "do_normalize": true, "image_mean": [0.5, 0.25, 0.5], "image_std": [0.5, 0.5, 0.25], "do_convert_rgb": true
        }
        """;

    private static readonly string[] s_vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "red", "green", "blue", "dark"];

    /// <summary>The colour of a word; of padding too, which counts where a graph has no mask.</summary>
    public static float[] Colour(string word) => word switch
    {
        "red" => [1, -0.5f, 0.25f],
        "green" => [-0.75f, 1, 0],
        "blue" => [0, -0.25f, 1.5f],
        "dark" => [-1, -1, -1],
        "[PAD]" => [0.125f, 0.5f, 0],
        _ => [0, 0, 0],
    };

    /// <summary>Writes the folder's files but for graphs.</summary>
    public static void WriteFiles(string folder, string preprocessor = Preprocessor, int? maximumLength = 6)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "preprocessor_config.json"), preprocessor);
        File.WriteAllLines(Path.Combine(folder, "vocab.txt"), s_vocabulary);
        File.WriteAllText(
            Path.Combine(folder, "tokenizer_config.json"),
            $$"""{"tokenizer_class": "BertTokenizer"{{(maximumLength is null ? "" : $", \"model_max_length\": {maximumLength}")}}}""");
    }

    /// <summary>Writes a graph, with its folder's other files.</summary>
    /// <param name="path">The file.</param>
    /// <param name="images">Whether it embeds pictures.</param>
    /// <param name="texts">Whether it embeds texts.</param>
    /// <param name="masked">Whether it takes an attention mask.</param>
    /// <param name="batch">What it fixes its batch at; null for symbolic.</param>
    /// <param name="change">What is wrong with it; null for nothing.</param>
    public static void Write(
        string path, bool images = true, bool texts = true, bool masked = true, int? batch = null, Action<GraphProto>? change = null)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var graph = new TestGraph(17, batch, 3, null, null);
        var body = graph.Model.Graph;
        if (images)
        {
            body.Input[0].Name = "picture"; // names tell nothing but what a mask is
            graph.Node("GlobalAveragePool", "picture", "pooled").Node("Flatten", "pooled", "image_embeds");
        }
        else
        {
            body.Input.Clear();
        }

        if (texts)
        {
            body.Input.Add(Tokens("tokens", batch));
            body.Initializer.Add(new TensorProto
            {
                Name = "colours", DataType = (int)TensorProto.Types.DataType.Float, Dims = { s_vocabulary.Length, 3 },
                FloatData = { s_vocabulary.SelectMany(Colour) },
            });
            graph.Integers("axis", 1).Integers("last", 2).Node("Gather", "colours tokens", "gathered");
            if (masked)
            {
                body.Input.Add(Tokens("attention_mask", batch));
                graph.Node("Cast", "attention_mask", "float_mask", ("to", (int)TensorProto.Types.DataType.Float))
                    .Node("Unsqueeze", "float_mask last", "wide_mask").Node("Mul", "gathered wide_mask", "counted");
            }

            graph.Node("ReduceSum", $"{(masked ? "counted" : "gathered")} axis", "text_embeds", ("keepdims", 0));
        }

        graph.ToBytes();
        body.Output.Clear();
        foreach (var output in new[] { images ? "image_embeds" : null, texts ? "text_embeds" : null }.OfType<string>())
        {
            body.Output.Add(new ValueInfoProto
            {
                Name = output, Type = new TypeProto { TensorType = new() { ElemType = (int)TensorProto.Types.DataType.Float } },
            });
        }

        change?.Invoke(body);
        File.WriteAllBytes(path, graph.Model.ToByteArray());
    }

    private static ValueInfoProto Tokens(string name, int? batch) => new()
    {
        Name = name,
        Type = new TypeProto
        {
            TensorType = new()
            {
                ElemType = (int)TensorProto.Types.DataType.Int64,
                Shape = new TensorShapeProto
                {
                    Dim =
                    {
                        batch is { } rows
                            ? new TensorShapeProto.Types.Dimension { DimValue = rows }
                            : new TensorShapeProto.Types.Dimension { DimParam = "texts" },
                        new TensorShapeProto.Types.Dimension { DimParam = "length" },
                    },
                },
            },
        },
    };
}
