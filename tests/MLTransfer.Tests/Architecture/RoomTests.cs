using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Xunit;

namespace MLTransfer.Tests.Architecture;

/// <summary>
/// The rule of direction: rooms use each other in one direction. A room is a folder directly under a project's; sub-rooms likewise.
/// </summary>
public class RoomTests
{
    /// <summary>From the top down.</summary>
    private static readonly string[] s_projects =
        ["MLTransfer.Extensions.AI", "MLTransfer", "MLTransfer.Onnx", "MLTransfer.Mpi", "MLTransfer.Torch"];

    private static readonly SourceTree s_source = SourceTree.OfTheRepository();

    [Fact]
    public void There_is_no_circle_between_rooms()
    {
        // Folders that hold folders: projects, rooms with sub-rooms, and those with rooms of their own.
        var parents = s_source.Folders.Where(folder => folder.Contains('.', StringComparison.Ordinal))
            .Select(folder => folder[..folder.LastIndexOf('.')]).Distinct().ToList();
        Assert.Contains("MLTransfer.Torch.Numerics", parents);
        foreach (var parent in parents)
            AssertNoCircle(s_source, parent);
    }

    [Fact]
    public void Files_that_lie_in_no_room_use_no_room_of_their_project()
    {
        foreach (var project in s_projects)
        {
            Assert.DoesNotContain(s_source.Arrows, arrow => arrow.From == project && ProjectOf(arrow.To) == project);
        }
    }

    [Fact]
    public void Projects_use_each_other_in_one_direction()
    {
        foreach (var arrow in s_source.Arrows)
        {
            var (from, to) = (Array.IndexOf(s_projects, ProjectOf(arrow.From)), Array.IndexOf(s_projects, ProjectOf(arrow.To)));
            Assert.True(from <= to || to < 0, $"{arrow}");
            Assert.True(from >= 0, $"A project of model files alone uses another: {arrow}");
        }
    }

    [Fact]
    public void Namespaces_are_the_folders()
    {
        foreach (var file in s_source.Files)
        {
            var expected = file.Folder switch
            {
                "MLTransfer.Catalogs" => "MLTransfer", // found wherever MLTransfer is
                // has the names of ML.NET's own classes, beside which it can stand
                _ when IsPublicInMLTransfer(file) && IsIn(file, "MLTransfer.Experiments") => "MLTransfer.Experiments",
                _ when IsPublicInMLTransfer(file) => "MLTransfer", // one using is enough for a program
                _ when file.Folder.StartsWith("MLTransfer.Models.", StringComparison.Ordinal) => "MLTransfer.Models",
                _ when file.Path.EndsWith("/IgnoresAccessChecks.cs", StringComparison.Ordinal) => "System.Runtime.CompilerServices",
                var folder => folder,
            };
            Assert.True(file.Namespace == expected, $"{file.Path} has the namespace {file.Namespace}, not {expected}.");
            // a room says what it uses in each file
            Assert.DoesNotContain(file.Root.Usings, directive => directive.GlobalKeyword.ValueText.Length > 0);
        }
    }

    private static bool IsIn(SourceFile file, string room) =>
        file.Folder == room || file.Folder.StartsWith(room + '.', StringComparison.Ordinal);

    private static bool IsPublicInMLTransfer(SourceFile file) =>
        file.Folder.StartsWith("MLTransfer.", StringComparison.Ordinal) && ProjectOf(file.Folder) == "MLTransfer"
        && file.Root.DescendantNodes().OfType<BaseTypeDeclarationSyntax>().First().Modifiers.Any(SyntaxKind.PublicKeyword);

    [Theory]
    [InlineData("using P.Upper; namespace P.Lower; class B;")]
    [InlineData("using static P.Upper.A; namespace P.Lower; class B;")]
    [InlineData("using A = P.Upper.A; namespace P.Lower; class B;")]
    [InlineData("using Many = System.Collections.Generic.List<P.Upper.A>; namespace P.Lower; class B;")]
    [InlineData("namespace P.Lower; class B : Upper.A;")]
    [InlineData("namespace P.Lower; class B { object o = new P.Upper.A(); }")]
    [InlineData("namespace P.Lower; class B { object o = global::P.Upper.A.Value; }")]
    [InlineData("namespace P.Lower; class B { string s = $\"{nameof(Upper.A)}\"; }")]
    [InlineData("namespace P.Lower; class B { System.Collections.Generic.List<Upper.A> list; }")]
    public void A_circle_is_found_however_the_upper_room_is_named(string lower)
    {
        var tree =
            Tree(("P/Upper/A.cs", "using P.Lower; namespace P.Upper; class A { public static int Value; }"), ("P/Lower/B.cs", lower));

        var circle = ShortestCircle.Of(tree.ArrowsBetweenChildren("P"));

        Assert.Equal(["Lower", "Upper"], circle.Select(arrow => arrow.From).Order(StringComparer.Ordinal));
        Assert.Contains(
            "P/Lower/B.cs", Assert.Throws<Xunit.Sdk.FailException>(() => AssertNoCircle(tree, "P")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("namespace P.Lower; class B { Catalog c; }")]
    [InlineData("namespace P.Lower; class B { int i = 1.Found(); }")]
    [InlineData("namespace P.Lower; class B { int? i = new int?(1)?.Found(); }")]
    public void A_circle_is_found_through_types_whose_namespace_is_not_their_folder(string lower)
    {
        var catalog = "using P.Lower; namespace P; class Catalog; static class More { public static int Found(this int i) => i; }";

        var circle = ShortestCircle.Of(Tree(("P/Catalogs/Catalog.cs", catalog), ("P/Lower/B.cs", lower)).ArrowsBetweenChildren("P"));

        Assert.Equal(2, circle.Length);
    }

    [Fact]
    public void The_shortest_of_several_circles_is_told()
    {
        var tree = Tree(
            ("P/One/A.cs", "using P.Two; namespace P.One; class A;"),
            ("P/Two/A.cs", "using P.Three; using P.Four; namespace P.Two; class A;"),
            ("P/Three/A.cs", "using P.Four; namespace P.Three; class A;"),
            ("P/Four/Deep/A.cs", "using P.One; namespace P.Four.Deep; class A;"),
            ("P/Four/A.cs", "namespace P.Four; class A;"));

        var circle = ShortestCircle.Of(tree.ArrowsBetweenChildren("P"));

        Assert.Equal(["Four", "One", "Two"], circle.Select(arrow => arrow.From).Order(StringComparer.Ordinal));
        Assert.All(circle.Zip(circle.Skip(1).Append(circle[0])), pair => Assert.Equal(pair.First.To, pair.Second.From));
    }

    [Fact]
    public void A_circle_between_sub_rooms_is_none_between_rooms_and_is_found_in_their_parent()
    {
        var tree = Tree(
            ("P/Room/A/A.cs", "using P.Room.B; namespace P.Room.A; class One;"),
            ("P/Room/B/B.cs", "namespace P.Room.B; class Two { A.One o; }"));

        Assert.Empty(ShortestCircle.Of(tree.ArrowsBetweenChildren("P")));
        Assert.Equal(2, ShortestCircle.Of(tree.ArrowsBetweenChildren("P.Room")).Length);
    }

    [Fact]
    public void Words_that_name_no_room_are_no_arrows()
    {
        var tree = Tree(
            ("P/Upper/A.cs", "using P.Lower; namespace P.Upper; class A;"),
            ("P/Lower/B.cs", """
                // using P.Upper;
                namespace P.Lower;
                /// <summary>See <see cref="P.Upper.A"/>.</summary>
                class B
                {
                    string Upper = "P.Upper.A";
                    int A => Upper.Length;
                    Inner.C c;
                }
                """),
            ("P/Lower/Inner/C.cs", "namespace P.Lower.Inner; class C { B back; }"));

        Assert.Equal(["Upper"], tree.ArrowsBetweenChildren("P").Select(arrow => arrow.From));
        Assert.Empty(ShortestCircle.Of(tree.ArrowsBetweenChildren("P")));
    }

    private static void AssertNoCircle(SourceTree tree, string parent)
    {
        var circle = ShortestCircle.Of(tree.ArrowsBetweenChildren(parent));
        if (!circle.IsEmpty)
            Assert.Fail($"The rooms of {parent} use each other in a circle:\n{string.Join('\n', circle)}");
    }

    private static SourceTree Tree(params (string Path, string Text)[] files) =>
        new(files.Select(file => new SourceFile(file.Path, file.Text)));

    /// <summary>Projects of model files are named like rooms of MLTransfer, but no folder of it is.</summary>
    private static string ProjectOf(string folder) =>
        folder.StartsWith("MLTransfer.Models.", StringComparison.Ordinal)
            ? folder
            : s_projects.OrderByDescending(project => project.Length)
                .First(project => folder == project || folder.StartsWith(project + '.', StringComparison.Ordinal));
}
