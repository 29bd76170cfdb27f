using MLTransfer.Columns;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using Xunit;

namespace MLTransfer.Tests.Columns;

public class ColumnRoleTests
{
    private static readonly Dictionary<string, (DataViewType Type, string Kind)> s_columns = new()
    {
        ["text"] = (TextDataViewType.Instance, nameof(ColumnKind.Text)),
        ["single"] = (NumberDataViewType.Single, nameof(ColumnKind.Single)),
        ["long"] = (NumberDataViewType.Int64, nameof(ColumnKind.OtherNumber)),
        ["boolean"] = (BooleanDataViewType.Instance, nameof(ColumnKind.Boolean)),
        ["key"] = (new KeyDataViewType(typeof(uint), 3), nameof(ColumnKind.Key)),
        ["vector"] = (new VectorDataViewType(NumberDataViewType.Single, 4), nameof(ColumnKind.SingleVector)),
        ["image"] = (new ImageDataViewType(2, 3), nameof(ColumnKind.Image)),
        ["variable vector"] = (new VectorDataViewType(NumberDataViewType.Single), nameof(ColumnKind.None)),
        ["vector of keys"] = (new VectorDataViewType(new KeyDataViewType(typeof(uint), 3), 4), nameof(ColumnKind.None)),
        ["vector of integers"] = (new VectorDataViewType(NumberDataViewType.Int32, 4), nameof(ColumnKind.None)),
    };

    public static TheoryData<string> Names => [.. s_columns.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_role_accepts_in_a_schema_what_it_accepts_in_the_schemas_shape(string name)
    {
        var builder = new DataViewSchema.Builder();
        foreach (var (column, (type, _)) in s_columns)
            builder.AddColumn(column, type);
        var schema = builder.ToSchema();
        var expected = Enum.Parse<ColumnKind>(s_columns[name].Kind);

        foreach (var accepted in Enum.GetValues<ColumnKind>().Where(kind => kind != ColumnKind.None))
        {
            var role = new ColumnRole("test", name, accepted, "something else");
            if ((accepted & expected) != 0)
            {
                Assert.Equal(expected, role.Check(SchemaShape.Create(schema)));
                Assert.Equal(name, role.Find(schema).Name);
                continue;
            }

            foreach (var action in (Action[])[() => role.Check(SchemaShape.Create(schema)), () => role.Find(schema)])
            {
                Assert.StartsWith($"Schema mismatch for test column '{name}': expected something else, got ",
                    Assert.Throws<ArgumentException>(action).Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void Only_an_optional_column_may_be_missing()
    {
        var builder = new DataViewSchema.Builder();
        builder.AddColumn("A", TextDataViewType.Instance);
        builder.AddColumn("B", TextDataViewType.Instance);
        var schema = builder.ToSchema();
        var role = ColumnRole.Text("input", "C");

        foreach (var action in (Action[])[() => role.Check(SchemaShape.Create(schema)), () => role.Find(schema)])
        {
            Assert.Equal(
                "Could not find input column 'C'. The data has the columns 'A', 'B'.", Assert.Throws<ArgumentException>(action).Message);
        }

        Assert.Equal(ColumnKind.None, (role with { IsOptional = true }).Check(SchemaShape.Create(schema)));
    }

    [Fact]
    public void Output_columns_have_one_type_in_a_schema_and_in_its_shape()
    {
        var builder = new DataViewSchema.Builder();
        builder.AddColumn("text", NumberDataViewType.Single); // replaced
        var outputs = s_columns.Where(pair => pair.Value.Kind != nameof(ColumnKind.Key) && pair.Key != "vector of keys")
            .Select(pair => new OutputColumn(pair.Key, pair.Value.Type)).ToList();
        foreach (var output in outputs)
            builder.AddColumn(output.Name, output.Type);
        var schema = builder.ToSchema();
        var before = new DataViewSchema.Builder();
        before.AddColumn("text", NumberDataViewType.Single);

        var shape = OutputColumn.AddTo(SchemaShape.Create(before.ToSchema()), outputs);

        Assert.Equal(Described(SchemaShape.Create(schema)), Described(shape));

        static IEnumerable<object> Described(SchemaShape shape) =>
            shape.OrderBy(c => c.Name, StringComparer.Ordinal).Select(c => (object)(c.Name, c.Kind, c.ItemType.RawType, c.IsKey));
    }
}
