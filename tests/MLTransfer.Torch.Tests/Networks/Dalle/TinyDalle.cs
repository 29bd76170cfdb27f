using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Networks.Dalle;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.Dalle;

/// <summary>The reference's tiny transformers, and what tests do with any.</summary>
internal static class TinyDalle
{
    public const string Plain = "dalle-transformer-tiny";
    public const string Rotary = "dalle-transformer-rotary-tiny";
    public const string Reversible = "dalle-transformer-reversible-tiny";

    public static string FolderOf(string name) => RepositoryFiles.Data($"images/{name}");

    public static DalleModel Load(string name) => (DalleModel)GenerativeNetwork.Load(FolderOf(name));

    public static SafetensorsFile Tensors(string name, string file) => SafetensorsFile.Open(Path.Combine(FolderOf(name), file));

    public static JsonObject Json(string name, string file) =>
        JsonNode.Parse(File.ReadAllText(Path.Combine(FolderOf(name), file)))!.AsObject();

    public static int[] Numbers(JsonNode? list) => [.. list!.AsArray().Select(number => number!.GetValue<int>())];

    public static Tensor Rows(JsonNode? list)
    {
        var rows = list!.AsArray().Select(Numbers).ToList();
        return tensor(rows.SelectMany(row => row).Select(id => (long)id).ToArray(), [rows.Count, rows[0].Length]);
    }

    public static double Distance(Tensor first, Tensor second)
    {
        using var scope = NewDisposeScope();
        return (first - second).abs().max().to(ScalarType.Float64).item<double>();
    }

    /// <summary>The most probable codes one after the other, with guidance.</summary>
    public static int[] WriteGreedily(DalleModel model, int[] text, int[] given, double guidance)
    {
        using var writer = model.CreateWriter([model.PadCaption(text), model.PadCaption(null)]);
        var codes = new int[model.CodesPerSide * model.CodesPerSide];
        for (var place = 0; place < codes.Length; place++)
        {
            var guided = Guided(writer, guidance);
            codes[place] = place < given.Length ? given[place] : Array.IndexOf(guided, guided.Max());
            if (place < codes.Length - 1)
                writer.Read([codes[place], codes[place]]);
        }

        return codes;
    }

    /// <summary>Logits of the next code, of a row with a caption and one without.</summary>
    public static float[] Guided(ICodeWriter writer, double guidance)
    {
        var (with, without) = (writer.Logits(0).ToArray(), writer.Logits(1).ToArray());
        return [.. with.Zip(without, (own, free) => (float)(free + guidance * (own - free)))];
    }
}
