using System.Collections.Immutable;

namespace MLTransfer.Torch.Tokenization.PostProcessors;

/// <summary>Reads the post-processor of a tokenizer.json.</summary>
internal static class PostProcessorReader
{
    private static readonly StageReader<IPostProcessor> s_reader = new("post-processor", new()
    {
        ["Sequence"] = ReadSequence,
        ["TemplateProcessing"] = ReadTemplate,
        ["ByteLevel"] = field => new ByteLevelPostProcessor(
            field.Only("add_prefix_space", "trim_offsets", "use_regex").FlagOr("trim_offsets", true),
            field.FlagOr("add_prefix_space", true)),
        ["BertProcessing"] = field => new PairProcessor
        {
            Class = ReadToken(field.Only("sep", "cls").Required("cls")),
            Separator = ReadToken(field.Required("sep")),
            IsRoberta = false,
        },
        ["RobertaProcessing"] = field => new PairProcessor
        {
            Class = ReadToken(field.Only("sep", "cls", "trim_offsets", "add_prefix_space").Required("cls")),
            Separator = ReadToken(field.Required("sep")),
            IsRoberta = true,
            TrimsOffsets = field.FlagOr("trim_offsets", true),
            HasPrefixSpace = field.FlagOr("add_prefix_space", true),
        },
    });

    public static IPostProcessor Read(JsonField field) => s_reader.Read(field);

    private static PostProcessorSequence ReadSequence(JsonField field)
    {
        JsonField[] stages = [.. field.Only("processors").Required("processors").Items()];
        ImmutableArray<IPostProcessor> processors = [.. stages.Select(Read)];
        for (int i = 1; i < stages.Length; i++)
        {
            // A template is for the texts themselves, not for what another one made of them.
            if (processors[i] is TemplateProcessor && processors[..i].Any(earlier => earlier.CountAdded(isPair: true) > 0))
                throw stages[i].Invalid("no second post-processor that adds tokens");
        }

        return new PostProcessorSequence(processors);
    }

    private static TemplateProcessor ReadTemplate(JsonField field)
    {
        field.Only("single", "pair", "special_tokens");
        return new TemplateProcessor(
            ReadPieces(field, field.Required("single"), isPair: false),
            field.Optional("pair") is JsonField pair ? ReadPieces(field, pair, isPair: true)
                : [TemplatePiece.Text(0, 0), TemplatePiece.Text(1, 1)]);
    }

    private static ImmutableArray<TemplatePiece> ReadPieces(JsonField processor, JsonField template, bool isPair)
    {
        ImmutableArray<TemplatePiece> pieces = [.. template.Items().Select(piece => ReadPiece(processor, piece, isPair))];
        return pieces.Any(piece => piece.Sequence == 0) && (!isPair || pieces.Any(piece => piece.Sequence == 1))
            ? pieces
            : throw template.Invalid(isPair ? "a template with the Sequences A and B" : "a template with the Sequence A");
    }

    private static TemplatePiece ReadPiece(JsonField processor, JsonField piece, bool isPair)
    {
        piece.Only("Sequence", "SpecialToken");
        if (piece.Optional("Sequence") is JsonField sequence)
        {
            JsonField id = sequence.Only("id", "type_id").Required("id");
            return id.Text() switch
            {
                "A" => TemplatePiece.Text(0, TypeOf(sequence)),
                "B" when isPair => TemplatePiece.Text(1, TypeOf(sequence)),
                _ => throw id.Invalid(isPair ? "'A' or 'B'" : "'A'"),
            };
        }

        if (piece.Optional("SpecialToken") is not JsonField special)
            throw piece.Invalid("a Sequence or a SpecialToken");
        string name = special.Only("id", "type_id").Required("id").Text();
        JsonField token = processor.Required("special_tokens").Required(name).Only("id", "ids", "tokens");
        int[] ids = [.. token.Required("ids").Items().Select(id => id.Id())];
        string[] tokens = [.. token.Required("tokens").Items().Select(text => text.Text())];
        return ids.Length == tokens.Length
            ? new TemplatePiece(null, [.. ids.Zip(tokens)], TypeOf(special))
            : throw token.Invalid("as many ids as tokens");
    }

    private static int TypeOf(JsonField piece) => piece.Optional("type_id")?.Count() ?? 0;

    private static (int, string) ReadToken(JsonField pair) =>
        pair.Items().ToArray() is [{ IsText: true } token, JsonField id] ? (id.Id(), token.Text())
            : throw pair.Invalid("a token and its id");
}
