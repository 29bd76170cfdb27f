using MLTransfer.Onnx;
using MLTransfer.Onnx.Writing;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Networks.Transformers.Families;
using MLTransfer.Torch.Tests.Networks.Transformers;
using Xunit;

namespace MLTransfer.Tests.ForeignClients;

/// <summary>The export of every decoder of the registry continues token ids in Node.js as the engine does. A family is tested by being
/// listed.</summary>
public sealed class FamilyDecodersInNodeTests(FamilyDecodersInNodeTests.Continuations continuations)
    : IClassFixture<FamilyDecodersInNodeTests.Continuations>
{
    /// <summary>With the longest prompt as many positions as the rotations of phi3-tiny take.</summary>
    private const int Count = 11;

    private static readonly int[][] s_prompts = [[5, 9, 11, 20, 3, 8], [7, 4], [2]];

    public static IEnumerable<TheoryDataRow<string>> Families =>
        from family in FamilyRegistry.All
        where FamilyFolders.IsTextDecoder(family.ModelType)
        select new TheoryDataRow<string>(family.ModelType);

    [Theory]
    [MemberData(nameof(Families))]
    public void Token_ids_of_a_padded_batch_equal_the_engines(string modelType)
    {
        var (engine, node) = continuations.Of(modelType);
        Assert.Equal(engine, node);
        Assert.All(node, tokens => Assert.Equal(Count, tokens.Length));
    }

    /// <summary>All families are exported, and one program continues with all of them.</summary>
    public sealed class Continuations : IDisposable
    {
        private readonly TemporaryFolder _folder = new();
        private readonly Lazy<Dictionary<string, (int[][] Engine, int[][] Node)>> _all;

        public Continuations() => _all = new(() =>
        {
            var types = Families.Select(row => row.Data).ToList();
            var engine = types.ConvertAll(Export);
            var models = types.Select(type => new { file = _folder[$"{type}/model.onnx"], batches = new[] { s_prompts } });
            var node = NodeProgram.Run<int[][][][]>("decode.mjs", new { runtime = "onnxruntime-node", models, count = Count });
            return types.Zip(engine, node).ToDictionary(one => one.First, one => (one.Second, one.Third[0]));
        });

        public void Dispose() => _folder.Dispose();

        internal (int[][] Engine, int[][] Node) Of(string modelType)
        {
            NodeInstallation.Require();
            return _all.Value[modelType];
        }

        private int[][] Export(string modelType)
        {
            using var model = (CausalLanguageModel)FamilyFolders.LoadFamily(modelType);
            OnnxExporter.Export(model, null, _folder[modelType], new OnnxExportOptions { Check = false });
            var options = new GenerationOptions { MaximumNewTokens = Count, EndOfSequenceIds = [] };
            return [.. new TokenGenerator(model).Generate(s_prompts, options).Select(texts => texts[0].TokenIds.ToArray())];
        }
    }
}
